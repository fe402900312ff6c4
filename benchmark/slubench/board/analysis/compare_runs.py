"""Compares two runs, or two strategies wherever both were run on the same task, setting and budget."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from slubench.board.analysis.pairing import shared_seeds
from slubench.board.analysis.ranking import difference_of
from slubench.board.comparisons import Difference
from slubench.board.panels import cells_by_panel
from slubench.board.read.sums import SumsBeside
from slubench.board.runs import ScoredRun
from slubench.domain.metric import Counting, Metric
from slubench.errors import DataError
from slubench.metrics import ClusterSums, Count, percentile_interval, replicate
from slubench.metrics.contrasts import moments
from slubench.metrics.measures import SLURP_METRICS
from slubench.metrics.statistics import holm, randomisation_p

Values = NDArray[np.float64]
EXACT = next(metric for metric in SLURP_METRICS if metric.name == "exact_match")
"""By which sentences are told that one side gets right and the other does not."""


class Pair(NamedTuple):
    """Two lists of runs that are paired one by one, and what they are called."""

    first: Sequence[ScoredRun]
    second: Sequence[ScoredRun]
    names: tuple[str, str]
    of_strategies: bool


class OtherMetric(NamedTuple):
    """The difference in a metric beside the one that is compared, with its 95 % interval.

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
    """First against second.

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
) -> list[Pair]:
    """What of two strategies can be paired: a pair of lists a task, setting, engine, tier and budget."""
    found: list[Pair] = []
    for cells in cells_by_panel(runs):
        row = cells[0][0].row
        if task is not None and row["task"] != task:
            continue
        ours, theirs = ([c for c in cells if c[0].row["strategy"] == name] for name in (first, second))
        for one in ours:
            for other in theirs:
                if _fit(one[0], other[0], speech):
                    paired = shared_seeds([one, other])
                    if paired[0]:
                        found.append(Pair(paired[0], paired[1], (first, second), True))
    return found


def compare(
    pairs: Sequence[Pair],
    sums: SumsBeside,
    metric: Metric,
    *,
    input_kind: str,
    by: str,
    others: Sequence[Metric] = (),
) -> list[RunComparison]:
    """Compare pairs by a metric, over the whole test or slice by slice; p is corrected for all of them.

    Slices in which the metric is 0 for everyone are left out.

    Args:
        pairs: What is compared.
        sums: Of the runs.
        metric: What they are compared by.
        input_kind: `speech`, `text` or `asr`.
        by: A column to slice by, `all` for the whole test.
        others: Metrics whose differences are told beside, where the whole test is compared.

    Raises:
        DataError: Sums are not there, or two runs did not answer the same sentences.
    """
    wanted = _Wanted(metric, input_kind, by, tuple(one for one in others if one != metric))
    found = [one for pair in pairs for one in _compared(pair, sums, wanted)]
    corrected = holm([one.difference.p for one in found])
    return [
        replace(one, difference=replace(one.difference, p=p, comparisons=len(found)))
        for one, p in zip(found, corrected, strict=True)
    ]


class _Wanted(NamedTuple):
    metric: Metric
    input_kind: str
    by: str
    others: tuple[Metric, ...]


def _fit(one: ScoredRun, other: ScoredRun, speech: str | None) -> bool:
    if one.engine != other.engine or one.row["tier"] != other.row["tier"]:
        return False
    budgets = {one.speech, other.speech} - {"0"} or {"0"}
    return len(budgets) == 1 and (speech is None or speech in budgets)


def _compared(pair: Pair, sums: SumsBeside, wanted: _Wanted) -> Iterator[RunComparison]:
    metric, input_kind, by, others = wanted
    found = _Sides(pair, sums, input_kind, by)
    row = pair.first[0].row
    budgets = dict.fromkeys(side[0].speech for side in (pair.first, pair.second))
    for name in found.slices(metric):
        ours, theirs = found.of(metric, name)
        if by != "all" and not any(metric.measure(one.total) for one in (*ours, *theirs)):
            # Of sentences without entities there is no SLU-F1; 0 against 0 would pass for a tie.
            continue
        exact = found.of(EXACT, name) if name in found.slices(EXACT) else ([], [])
        fixed, broken = _changes(*exact)
        yield RunComparison(
            names=pair.names,
            of_strategies=pair.of_strategies,
            task=row["task"],
            model=row["model"],
            edition=row["edition"],
            speech=" against ".join(budgets),
            metric=metric.name,
            title=metric.title,
            input=input_kind,
            slice=None if by == "all" else (by, name),
            difference=_difference(ours, theirs, metric),
            fixed=fixed,
            broken=broken,
            others=tuple(found.others(others)) if by == "all" else (),
        )


class _Sides:
    """The sums of a pair's runs, looked up once a counting."""

    def __init__(self, pair: Pair, sums: SumsBeside, input_kind: str, by: str) -> None:
        self._pair, self._sums, self._input, self._by = pair, sums, input_kind, by
        self._found: dict[Counting, tuple[list[dict[str, ClusterSums]], ...]] = {}
        self._drawn: dict[Counting, Values] = {}

    def slices(self, metric: Metric) -> list[str]:
        """The slices in which all runs have the metric's counts."""
        return sorted(set.intersection(*(set(one) for side in self._sides(metric.counting) for one in side)))

    def of(self, metric: Metric, name: str) -> tuple[list[ClusterSums], list[ClusterSums]]:
        """Sums of the first runs and of the second.

        Raises:
            DataError: They are not of the same sentences.
        """
        ours, theirs = ([one[name] for one in side] for side in self._sides(metric.counting))
        if len({one.names for one in (*ours, *theirs)}) != 1:
            raise DataError(
                f"{self._pair.names[0]} and {self._pair.names[1]} did not answer the same sentences of"
                f" {self._pair.first[0].row['task']}; only models evaluated on the same test can be compared."
            )
        return ours, theirs

    def others(self, metrics: Sequence[Metric]) -> Iterator[OtherMetric]:
        """The differences in other metrics, over the whole test."""
        for metric in metrics:
            if "all" not in self.slices(metric):
                continue
            sides = self.of(metric, "all")
            values = np.array([[float(metric.measure(one.total)) for one in side] for side in sides])
            if metric.counting not in self._drawn:
                self._drawn[metric.counting] = np.array([[replicate(one) for one in side] for side in sides])
            drawn = metric.measure(self._drawn[metric.counting])
            value, low, high = _spread(values, drawn, len(sides[0][0].sums))
            first, second = values.mean(axis=1)
            yield OtherMetric(
                metric.name, metric.title, float(first), float(second), value, low, high, metric.form
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


def _spread(values: Values, drawn: Values, clusters: int) -> tuple[float, float, float]:
    """The mean difference and the ends of its interval; shapes (2, seeds) and (2, seeds, replicates)."""
    if values.shape[1] > 1 and clusters > 1:
        found = moments(values, drawn, clusters).estimate(np.array([1.0, -1.0]))
        return found.value, found.low, found.high
    low, high = percentile_interval(drawn[0, 0] - drawn[1, 0])
    return float(values[0, 0] - values[1, 0]), low, high


def _difference(ours: Sequence[ClusterSums], theirs: Sequence[ClusterSums], metric: Metric) -> Difference:
    values = np.array([[float(metric.measure(one.total)) for one in side] for side in (ours, theirs)])
    drawn = np.array([[metric.measure(replicate(one)) for one in side] for side in (ours, theirs)])
    clusters = len(ours[0].sums)
    if len(ours) > 1 and clusters > 1:
        return difference_of(moments(values, drawn, clusters).estimate(np.array([1.0, -1.0])))
    value, low, high = _spread(values, drawn, clusters)
    return Difference(value, low, high, 1, randomisation_p(ours[0], theirs[0], metric.measure))


def _changes(
    ours: Sequence[ClusterSums], theirs: Sequence[ClusterSums]
) -> tuple[dict[str, float], dict[str, float]]:
    """Sentences on which one side has more answers exactly right, with the mean number over the pairs."""
    if not ours:
        return {}, {}
    exact = [[one.sums[:, Count.EXACT] for one in side] for side in (ours, theirs)]
    apart = np.mean(exact[0], axis=0) - np.mean(exact[1], axis=0)
    names = ours[0].names[0]

    def most(signed: NDArray[np.float64]) -> dict[str, float]:
        order = sorted(np.flatnonzero(signed > 1e-9), key=lambda at: (-signed[at], names[at]))
        return {names[at]: float(signed[at]) for at in order}

    return most(apart), most(-apart)
