"""Pairs the runs of several cells by seed, so that what they share cancels out in differences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from slubench.board.read.replicates import MeasureReplicates, Replicates
from slubench.board.runs import ScoredRun
from slubench.metrics.contrasts import Moments, moments

Seeds = tuple[int, int]


@dataclass(frozen=True)
class Aligned:
    """Several cells over the seeds they share.

    Attributes:
        measured: A quantity a cell, in the order given.
        seeds: How many seeds.
    """

    measured: Moments

    @property
    def seeds(self) -> int:
        """The number of shared seeds."""
        return self.measured.seeds


def shared_seeds(groups: Sequence[Sequence[ScoredRun]]) -> list[list[ScoredRun]]:
    """The runs of each group at the seeds shared by all groups, in the same order.

    Groups that hear speech are paired by data seed and train seed. What hears nothing draws no clips: it is
    paired by its train seed alone, and then each train seed counts once, as no run may stand for two.
    """
    by_train = [_by_train(group) for group in groups]
    hearing = [{run.seeds: run for run in group} for group in groups if group and _uses_speech(group)]
    if not hearing:
        common = sorted(set.intersection(*(set(found) for found in by_train))) if by_train else []
        return [[found[train] for train in common] for found in by_train]
    pairs = sorted(set.intersection(*(set(found) for found in hearing)))
    if len(hearing) < len(groups):
        pairs = list({train: (data, train) for data, train in reversed(pairs)}.values())[::-1]
    pairs = [
        pair
        for pair in pairs
        if all(_uses_speech(group) or pair[1] in found for group, found in zip(groups, by_train, strict=True))
    ]
    return [
        [_at(group, found, pair) for pair in pairs] for group, found in zip(groups, by_train, strict=True)
    ]


def aligned(
    groups: Sequence[Sequence[ScoredRun]], replicates: Replicates, metric: str = "slu_f1"
) -> Aligned | None:
    """The cells on their shared seeds, None if there are fewer than two or replicates are missing."""
    drawn = [[_drawn(run, replicates, metric) for run in group] for group in shared_seeds(groups)]
    kept = [column for column in zip(*drawn, strict=True) if all(one is not None for one in column)]
    columns = [[one for one in column if one is not None] for column in kept]
    alike = {one.alike for column in columns for one in column}
    if len(columns) < 2 or len(alike) != 1:
        return None
    clusters = np.array([[one.freedom for one in column] for column in columns]).min(axis=0)
    if clusters.min() < 2:
        return None
    values = np.array([[one.value for one in column] for column in columns]).T
    stacked = np.array([[one.replicates for one in column] for column in columns], dtype=np.float64)
    return Aligned(moments(values, stacked.transpose(1, 0, 2), clusters))


def _drawn(run: ScoredRun, replicates: Replicates, metric: str) -> MeasureReplicates | None:
    return replicates.find(run.row["scores_fingerprint"], metric)


def _uses_speech(group: Sequence[ScoredRun]) -> bool:
    return any(run.speech != "0" for run in group)


def _by_train(group: Sequence[ScoredRun]) -> Mapping[int, ScoredRun]:
    found: dict[int, ScoredRun] = {}
    for run in group:
        found.setdefault(run.seeds[1], run)
    return found


def _at(group: Sequence[ScoredRun], by_train: Mapping[int, ScoredRun], pair: Seeds) -> ScoredRun:
    if not _uses_speech(group):
        return by_train[pair[1]]
    return next(run for run in group if run.seeds == pair)


Group = Sequence[ScoredRun]
SeedPairs = tuple[tuple[int, int], ...]

MOST = 400
"""Number of cells whose replicates are held in memory together."""


class Evidence:
    """Gives cells on their shared seeds.

    A panel's cells mostly share all their seeds, and a hundred of them make five thousand pairs. So the
    moments of all that were run at the same seeds are made at once, and those of a pair are a part of them.
    Cells that lack a seed or replicates are paired one by one, with the same result.

    Args:
        groups: The cells' runs.
        replicates: Of their scores.
    """

    def __init__(self, groups: Sequence[Group], replicates: Replicates) -> None:
        self._replicates = replicates
        self._alike: dict[SeedPairs, list[Group]] = {}
        self._moments: dict[tuple[SeedPairs, str], tuple[dict[int, int], Moments] | None] = {}
        hearing = [group for group in groups if _uses_speech(group)]
        for group in hearing:
            self._alike.setdefault(_seeds(group), []).append(group)
        for seeds, alike in self._alike.items():
            trains = {train for _, train in seeds}
            alike += [g for g in groups if not _uses_speech(g) and trains <= {run.seeds[1] for run in g}]

    @property
    def metrics(self) -> list[str]:
        """Names of the metrics that have replicates."""
        return self._replicates.metrics

    def aligned(self, groups: Sequence[Group], metric: str = "slu_f1") -> Aligned | None:
        """The cells on their shared seeds, None if there are fewer than two or replicates are missing."""
        seeds = {_seeds(group) for group in groups if _uses_speech(group)}
        if len(seeds) == 1:
            known = self._known(seeds.pop(), metric)
            if known is not None and all(id(group) in known[0] for group in groups):
                return Aligned(_part(known[1], [known[0][id(group)] for group in groups]))
        return aligned(groups, self._replicates, metric)

    def lacking(self, groups: Sequence[Group], beside: str) -> str:
        """What is missing for `aligned` to pair cells, in words.

        Args:
            groups: The cells.
            beside: What they are paired with.
        """
        if len(shared_seeds(groups)[0]) < 2:
            return f"at least two seeds shared with {beside}"
        return f"replicates of the same sentences and speakers as {beside} (score both again)"

    def _known(self, seeds: SeedPairs, metric: str) -> tuple[dict[int, int], Moments] | None:
        key = seeds, metric
        if key not in self._moments:
            groups = [group for group in self._alike.get(seeds, []) if self._whole(group, metric)]
            # A train seed that stands twice is counted once beside what hears nothing, and twice elsewhere.
            once = len({train for _, train in seeds}) == len(seeds)
            found = aligned(groups, self._replicates, metric) if once and 1 < len(groups) <= MOST else None
            places = {id(group): place for place, group in enumerate(groups)}
            self._moments[key] = (places, found.measured) if found and found.seeds == len(seeds) else None
        return self._moments[key]

    def _whole(self, group: Group, metric: str) -> bool:
        return all(self._replicates.find(run.row["scores_fingerprint"], metric) for run in group)


def _part(whole: Moments, places: Sequence[int]) -> Moments:
    at = np.array(places)
    square = np.ix_(at, at)
    return replace(
        whole,
        means=whole.means[at],
        seed=whole.seed[square],
        sentence=whole.sentence[square],
        clusters=np.broadcast_to(whole.clusters, whole.means.shape)[at],
        both=None if whole.both is None else whole.both[square],
        bounds=None if whole.bounds is None else whole.bounds[at],
    )


def _seeds(group: Group) -> SeedPairs:
    return tuple(sorted(run.seeds for run in group))
