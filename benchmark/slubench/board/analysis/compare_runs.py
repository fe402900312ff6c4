"""Compares two runs, or two strategies wherever both were run on the same task, setting and budget."""

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
from slubench.errors import DataError
from slubench.metrics import ClusterSums, Count, measure
from slubench.metrics.bootstrap import by_factor
from slubench.metrics.contrasts import moments
from slubench.metrics.sampling import is_degenerate, sampled, sampling_interval
from slubench.metrics.statistics import randomisation_p

RANKED = "slu_f1"


class Pair(NamedTuple):
    """Two lists of runs that are paired one by one, and what they are called."""

    first: Sequence[ScoredRun]
    second: Sequence[ScoredRun]
    names: tuple[str, str]
    of_strategies: bool


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
        metric: The measure, on normalised text.
        asked: How the models were asked.
        slice: Column and value, None for the whole test.
        difference: First minus second.
        fixed: Sentences by the mean number of answers that the first alone has exactly right, most first.
        broken: The same of the second.
    """

    names: tuple[str, str]
    of_strategies: bool
    task: str
    model: str
    edition: str
    speech: str
    metric: str
    asked: str
    slice: tuple[str, str] | None
    difference: Difference
    fixed: Mapping[str, float]
    broken: Mapping[str, float]


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
    *,
    metric: str,
    asked: str,
    by: str,
    panels: Sequence[Panel] = (),
) -> list[RunComparison]:
    """Compare pairs by a measure, over the whole test or slice by slice.

    Two strategies that a leaderboard ranks at one budget differ as its ranking says, which is corrected for
    all pairs there. Everything else is corrected for all that is compared here.

    Args:
        pairs: From `pairs_of`, or two runs.
        sums: Of their scores.
        metric: A name of `slubench.metrics.MEASURES`.
        asked: How the models were asked.
        by: The column to slice by, `all` for the whole test.
        panels: The panels that a leaderboard of the same scores shows, with their rankings.

    Slices in which the measure is 0 for everyone, and those over few speakers, are left out.

    Raises:
        DataError: Sums are not there, or two runs did not answer the same sentences.
    """
    found = [one for pair in pairs for one in _compared(pair, sums, metric, asked, by)]
    whole = (metric, asked, by) == (RANKED, "speech", "all")
    ranked = [_ranked(one.pair, panels) if whole else None for one in found]
    rest = iter(together([one.at_level for one, known in zip(found, ranked, strict=True) if known is None]))
    return [
        replace(one.told, difference=known or next(rest)) for one, known in zip(found, ranked, strict=True)
    ]


def _ranked(pair: Pair, panels: Sequence[Panel]) -> Difference | None:
    """What the ranking at the pair's budget says of it."""
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
    pair: Pair
    told: RunComparison
    at_level: AtLevel


def _fit(one: ScoredRun, other: ScoredRun, speech: str | None) -> bool:
    if one.engine != other.engine or one.row["tier"] != other.row["tier"]:
        return False
    budgets = {one.speech, other.speech} - {"0"} or {"0"}
    return len(budgets) == 1 and (speech is None or speech in budgets)


def _compared(pair: Pair, sums: SumsBeside, metric: str, asked: str, by: str) -> Iterator[_Found]:
    firsts, seconds = (
        [sums.find(run.row["scores_fingerprint"], asked, by) for run in side]
        for side in (pair.first, pair.second)
    )
    row = pair.first[0].row
    budgets = dict.fromkeys(side[0].speech for side in (pair.first, pair.second))
    for name in sorted(set.intersection(*(set(found) for found in (*firsts, *seconds)))):
        ours, theirs = _alike([found[name] for found in firsts], [found[name] for found in seconds])
        if len({one.names for one in (*ours, *theirs)}) != 1:
            raise DataError(
                f"{pair.names[0]} and {pair.names[1]} did not answer the same sentences of {row['task']}; "
                "only models asked the same test can be compared."
            )
        if not may_be_shown(by, speakers_in(ours[0])):
            continue
        if by != "all" and not any(measure(one.total)[metric] for one in (*ours, *theirs)):
            # Of sentences without entities there is no SLU-F1; 0 against 0 would pass for a tie.
            continue
        fixed, broken = _changes(ours, theirs)
        at_level = _difference(ours, theirs, metric)
        told = RunComparison(
            names=pair.names,
            of_strategies=pair.of_strategies,
            task=row["task"],
            model=row["model"],
            edition=row["edition"],
            speech=" against ".join(budgets),
            metric=metric,
            asked=asked,
            slice=None if by == "all" else (by, name),
            difference=at_level(0.95),
            fixed=fixed,
            broken=broken,
        )
        yield _Found(pair, told, at_level)


def speakers_in(sums: ClusterSums) -> int | None:
    """How many speakers spoke; None where they are not known."""
    return len(set(sums.names[1])) if len(sums.names) > 1 else None


def _alike(ours: list[ClusterSums], theirs: list[ClusterSums]) -> tuple[list[ClusterSums], list[ClusterSums]]:
    """Sums by sentence and speaker where all of them tell the speakers, else all by sentence."""
    if len({len(one.names) for one in (*ours, *theirs)}) == 1:
        return ours, theirs
    return [by_factor(one, 0) for one in ours], [by_factor(one, 0) for one in theirs]


def _difference(ours: Sequence[ClusterSums], theirs: Sequence[ClusterSums], metric: str) -> AtLevel:
    found = [[sampled(one, measure)[metric] for one in side] for side in (ours, theirs)]
    clusters = min(one.clusters for side in found for one in side)
    if len(ours) > 1 and clusters >= 2:
        values = np.array([[one.value for one in side] for side in found])
        return paired(moments(values, np.array([[o.replicates for o in side] for side in found]), clusters))
    first, second = found[0][0], found[1][0]
    value, apart = first.value - second.value, first.replicates - second.replicates
    p = randomisation_p(ours[0], theirs[0], metric)
    same = is_degenerate(apart)

    def at_level(level: float) -> Difference:
        ends = sampling_interval(value, apart, clusters, level, bounds=(-1.0, 1.0))
        return Difference(value, *ends, 1, p, degenerate=same)

    return at_level


def _changes(
    ours: Sequence[ClusterSums], theirs: Sequence[ClusterSums]
) -> tuple[dict[str, float], dict[str, float]]:
    """Sentences on which one side has more answers exactly right, with the mean number over the pairs."""
    sentences = [[by_factor(one, 0) for one in side] for side in (ours, theirs)]
    exact = [[one.sums[:, Count.EXACT] for one in side] for side in sentences]
    apart = np.mean(exact[0], axis=0) - np.mean(exact[1], axis=0)
    names = sentences[0][0].names[0]

    def most(signed: NDArray[np.float64]) -> dict[str, float]:
        order = sorted(np.flatnonzero(signed > 1e-9), key=lambda at: (-signed[at], names[at]))
        return {names[at]: float(signed[at]) for at in order}

    return most(apart), most(-apart)
