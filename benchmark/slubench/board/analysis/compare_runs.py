"""Compares two runs, or two strategies on every task, setting and budget that both were run on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from slubench.board.analysis.pairing import shared_seeds
from slubench.board.analysis.separation import AtLevel, paired, together
from slubench.board.comparisons import Difference
from slubench.board.panel import Panel
from slubench.board.panels import cells_by_panel, setting_of, target_of
from slubench.board.read.public import may_be_shown
from slubench.board.read.sums import SumsBeside
from slubench.board.runs import ScoredRun
from slubench.domain.metric import Counting, Metric
from slubench.errors import DataError
from slubench.metrics import ClusterSums, Count
from slubench.metrics.bootstrap import by_factor
from slubench.metrics.contrasts import moments
from slubench.metrics.measures import SLURP_METRICS
from slubench.metrics.sampling import Sampled, is_degenerate, sampled, sampling_interval
from slubench.metrics.statistics import natural_bounds, randomisation_p

RANKED = "slu_f1"
"""The metric used for rankings."""
EXACT = next(metric for metric in SLURP_METRICS if metric.name == "exact_match")
"""The metric that decides which sentences one side gets right and the other does not."""


class RunPair(NamedTuple):
    """Two lists of runs, paired one by one, and their names."""

    first: Sequence[ScoredRun]
    second: Sequence[ScoredRun]
    names: tuple[str, str]
    of_strategies: bool


class OtherMetric(NamedTuple):
    """The difference in another metric than the compared one, with its 95 % interval.

    Attributes:
        metric: Its name.
        title: As it is read.
        first: Mean of the first.
        second: Mean of the second.
        value: First minus second.
        low: Lower end.
        high: Upper end.
        form: How it is shown.
    """

    metric: str
    title: str
    first: float
    second: float
    value: float
    low: float
    high: float
    form: str


@dataclass(frozen=True, kw_only=True)
class RunComparison:
    """The comparison of two lists of runs.

    Attributes:
        names: What is compared.
        of_strategies: Whether strategies are compared over their seeds, or two trained models.
        task: Name of the task.
        model: Name of the model.
        edition: Name of the edition.
        speech: The budget, both joined where they differ.
        metric: The metric, on normalised text.
        title: As it is read.
        input: What the model was given: `speech`, `text` or `asr`.
        slice: Column and value, None for the whole test.
        difference: First minus second.
        fixed: Sentences by the mean number of answers that the first alone has exactly right, most first.
        broken: The same of the second.
        others: All other metrics that both were scored by, where the whole test is compared.
    """

    names: tuple[str, str]
    of_strategies: bool
    task: str
    model: str
    edition: str
    speech: str
    metric: str
    title: str
    input: str
    slice: tuple[str, str] | None
    difference: Difference
    fixed: Mapping[str, float]
    broken: Mapping[str, float]
    others: tuple[OtherMetric, ...] = ()


def pairs_of(
    runs: Sequence[ScoredRun], first: str, second: str, *, task: str | None = None, speech: str | None = None
) -> list[RunPair]:
    """Pairs of runs of two strategies, one pair for each task, setting, engine, tier and budget."""
    found: list[RunPair] = []
    for cells in cells_by_panel(runs):
        row = cells[0][0].row
        if task is not None and row["task"] != task:
            continue
        ours, theirs = ([c for c in cells if c[0].strategy == name] for name in (first, second))
        for one in ours:
            for other in theirs:
                if _fit(one[0], other[0], speech):
                    paired = shared_seeds([one, other])
                    if paired[0]:
                        found.append(RunPair(paired[0], paired[1], (first, second), True))
    return found


def compare(
    pairs: Sequence[RunPair],
    sums: SumsBeside,
    metric: Metric,
    *,
    input_kind: str,
    by: str,
    others: Sequence[Metric] = (),
    panels: Sequence[Panel] = (),
) -> list[RunComparison]:
    """Compare pairs by a metric, on the whole test set or slice by slice.

    Two strategies that a leaderboard ranks at one budget differ as its ranking says, which is corrected for
    all pairs there. Everything else is corrected for all that is compared here. Slices in which the metric is
    0 for everyone, and those over few speakers, are left out.

    Args:
        pairs: What is compared.
        sums: Of the runs.
        metric: What they are compared by.
        input_kind: `speech`, `text` or `asr`.
        by: A column to slice by, `all` for the whole test.
        others: Metrics whose differences are told beside, where the whole test is compared.
        panels: The panels that a leaderboard of the same scores shows, with their rankings.

    Raises:
        DataError: Sums are not there, or two runs did not answer the same sentences.
    """
    wanted = _Wanted(metric, input_kind, by, tuple(one for one in others if one != metric))
    found = [one for pair in pairs for one in _compared(pair, sums, wanted)]
    whole = (metric.name, input_kind, by) == (RANKED, "speech", "all")
    ranked = [_ranked(one.pair, panels) if whole else None for one in found]
    rest = iter(together([one.at_level for one, known in zip(found, ranked, strict=True) if known is None]))
    return [
        replace(one.told, difference=known or next(rest)) for one, known in zip(found, ranked, strict=True)
    ]


class _Wanted(NamedTuple):
    metric: Metric
    input_kind: str
    by: str
    others: tuple[Metric, ...]


def _ranked(pair: RunPair, panels: Sequence[Panel]) -> Difference | None:
    """The result for the pair in the ranking at its budget."""
    if not pair.of_strategies:
        return None
    one, other = pair.first[0], pair.second[0]
    budgets = {one.speech, other.speech} - {"0"}
    for panel in panels:
        if (panel.setting, panel.task, panel.target) != (setting_of(one), one.row["task"], target_of(one)):
            continue
        if (panel.corpus, panel.revision) != (one.row["corpus"], one.row["corpus_revision"] or ""):
            continue
        for ranking in panel.findings.rankings:
            if {ranking.speech} == budgets and ranking.engine.partition(" ")[0] == one.engine:
                found = ranking.between(*pair.names)
                # The ranking takes the runs of one tier; those of another are compared by themselves.
                if found is not None and found.seeds == len(pair.first):
                    return found
    return None


class _Found(NamedTuple):
    pair: RunPair
    told: RunComparison
    at_level: AtLevel


def _fit(one: ScoredRun, other: ScoredRun, speech: str | None) -> bool:
    if one.engine != other.engine or one.row["tier"] != other.row["tier"]:
        return False
    budgets = {one.speech, other.speech} - {"0"} or {"0"}
    return len(budgets) == 1 and (speech is None or speech in budgets)


def _compared(pair: RunPair, sums: SumsBeside, wanted: _Wanted) -> Iterator[_Found]:
    metric, input_kind, by, others = wanted
    found = _Sides(pair, sums, input_kind, by)
    row = pair.first[0].row
    budgets = dict.fromkeys(side[0].speech for side in (pair.first, pair.second))
    for name in found.slices(metric):
        ours, theirs = found.of(metric, name)
        if not may_be_shown(by, speakers_in(ours[0])):
            continue
        if by != "all" and not any(metric.measure(one.total) for one in (*ours, *theirs)):
            # Of sentences without entities there is no SLU-F1; 0 against 0 would pass for a tie.
            continue
        exact = found.of(EXACT, name) if name in found.slices(EXACT) else ([], [])
        fixed, broken = _changes(*exact)
        at_level = _difference(ours, theirs, metric)
        told = RunComparison(
            names=pair.names,
            of_strategies=pair.of_strategies,
            task=row["task"],
            model=pair.first[0].model,
            edition=row["edition"],
            speech=" against ".join(budgets),
            metric=metric.name,
            title=metric.title,
            input=input_kind,
            slice=None if by == "all" else (by, name),
            difference=at_level(0.95),
            fixed=fixed,
            broken=broken,
            others=tuple(found.others(others)) if by == "all" else (),
        )
        yield _Found(pair, told, at_level)


class _Sides:
    """The sums of a pair's runs, read once for each counting."""

    def __init__(self, pair: RunPair, sums: SumsBeside, input_kind: str, by: str) -> None:
        self._pair, self._sums, self._input, self._by = pair, sums, input_kind, by
        self._found: dict[Counting, tuple[list[dict[str, ClusterSums]], ...]] = {}
        self._sampled: dict[Counting, list[list[dict[str, Sampled]]]] = {}

    def slices(self, metric: Metric) -> list[str]:
        """The slices in which all runs have counts of the metric."""
        return sorted(set.intersection(*(set(one) for side in self._sides(metric.counting) for one in side)))

    def of(self, metric: Metric, name: str) -> tuple[list[ClusterSums], list[ClusterSums]]:
        """Sums of the first and of the second runs.

        Raises:
            DataError: They are not of the same sentences.
        """
        ours, theirs = _alike(*([one[name] for one in side] for side in self._sides(metric.counting)))
        if len({one.names for one in (*ours, *theirs)}) != 1:
            raise DataError(
                f"{self._pair.names[0]} and {self._pair.names[1]} were not evaluated on the same sentences"
                f" of {self._pair.first[0].row['task']}, so they cannot be compared."
            )
        return ours, theirs

    def others(self, metrics: Sequence[Metric]) -> Iterator[OtherMetric]:
        """The differences in other metrics, on the whole test set."""
        for metric in metrics:
            if "all" not in self.slices(metric):
                continue
            if metric.counting not in self._sampled:
                alike = [one for one in metrics if one.counting == metric.counting]
                sides = self.of(metric, "all")
                self._sampled[metric.counting] = [[_measured(one, alike) for one in side] for side in sides]
            first, second = ([one[metric.name] for one in side] for side in self._sampled[metric.counting])
            apart = _apart(first, second)(0.95)
            ours, theirs = (float(np.mean([one.value for one in side])) for side in (first, second))
            yield OtherMetric(
                metric.name, metric.title, ours, theirs, apart.value, apart.low, apart.high, metric.form
            )

    def _sides(self, counting: Counting) -> tuple[list[dict[str, ClusterSums]], ...]:
        if counting not in self._found:
            self._found[counting] = tuple(
                [
                    self._sums.find(run.row["scores_fingerprint"], counting, self._input, self._by)
                    for run in side
                ]
                for side in (self._pair.first, self._pair.second)
            )
        return self._found[counting]


def speakers_in(sums: ClusterSums) -> int | None:
    """The number of speakers; None if unknown."""
    return len(set(sums.names[1])) if len(sums.names) > 1 else None


def _alike(ours: list[ClusterSums], theirs: list[ClusterSums]) -> tuple[list[ClusterSums], list[ClusterSums]]:
    """Sums by sentence and speaker if all files have speakers, else all by sentence."""
    if len({len(one.names) for one in (*ours, *theirs)}) == 1:
        return ours, theirs
    return [by_factor(one, 0) for one in ours], [by_factor(one, 0) for one in theirs]


def _measured(sums: ClusterSums, metrics: Sequence[Metric]) -> dict[str, Sampled]:
    return sampled(sums, lambda some: {metric.name: metric.measure(some) for metric in metrics})


def _apart(first: Sequence[Sampled], second: Sequence[Sampled], p: float = 1.0) -> AtLevel:
    """The mean difference with its interval at a given level; `p` applies to two single runs."""
    clusters = min(one.clusters for one in (*first, *second))
    if len(first) > 1 and clusters >= 2:
        values = np.array([[one.value for one in side] for side in (first, second)])
        drawn = np.array([[one.replicates for one in side] for side in (first, second)])
        return paired(moments(values, drawn, clusters))
    value, apart = first[0].value - second[0].value, first[0].replicates - second[0].replicates
    same = is_degenerate(apart)
    least, most = natural_bounds(np.array([first[0].value, second[0].value]))
    bounds = least - most, most - least

    def at_level(level: float) -> Difference:
        ends = sampling_interval(value, apart, clusters, level, bounds)
        return Difference(value, *ends, 1, p, degenerate=same)

    return at_level


def _difference(ours: Sequence[ClusterSums], theirs: Sequence[ClusterSums], metric: Metric) -> AtLevel:
    first, second = ([_measured(one, [metric])[metric.name] for one in side] for side in (ours, theirs))
    p = randomisation_p(ours[0], theirs[0], metric.measure) if len(ours) == 1 else 1.0
    return _apart(first, second, p)


def _changes(
    ours: Sequence[ClusterSums], theirs: Sequence[ClusterSums]
) -> tuple[dict[str, float], dict[str, float]]:
    """Sentences with more exactly right predictions on one side, with the mean number over the pairs."""
    if not ours:
        return {}, {}
    sentences = [[by_factor(one, 0) for one in side] for side in (ours, theirs)]
    exact = [[one.sums[:, Count.EXACT] for one in side] for side in sentences]
    apart = np.mean(exact[0], axis=0) - np.mean(exact[1], axis=0)
    names = sentences[0][0].names[0]

    def most(signed: NDArray[np.float64]) -> dict[str, float]:
        order = sorted(np.flatnonzero(signed > 1e-9), key=lambda at: (-signed[at], names[at]))
        return {names[at]: float(signed[at]) for at in order}

    return most(apart), most(-apart)
