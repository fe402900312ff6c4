"""What the cells of a panel hold against one another: moments over shared seeds, made once for many pairs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from slubench.board.pairing import Aligned, aligned
from slubench.board.replicates import Replicates
from slubench.board.runs import ScoredRun
from slubench.metrics.contrasts import Moments

Group = Sequence[ScoredRun]
Seeds = tuple[tuple[int, int], ...]

MOST = 400
"""Cells at once: their replicates are held in memory together."""


class Evidence:
    """Gives cells over the seeds they share.

    A panel's cells mostly share all their seeds, and a hundred of them make five thousand pairs. So the
    moments of all that were run at the same seeds are made at once, and those of a pair are a part of them.
    Cells that lack a seed or replicates are paired one by one, with the same result.

    Args:
        groups: The cells' runs.
        replicates: Of their scores.
    """

    def __init__(self, groups: Sequence[Group], replicates: Replicates) -> None:
        self._replicates = replicates
        self._alike: dict[Seeds, list[Group]] = {}
        self._moments: dict[tuple[Seeds, str], tuple[dict[int, int], Moments] | None] = {}
        hearing = [group for group in groups if _hears(group)]
        for group in hearing:
            self._alike.setdefault(_seeds(group), []).append(group)
        for seeds, alike in self._alike.items():
            trains = {train for _, train in seeds}
            alike += [g for g in groups if not _hears(g) and trains <= {run.seeds[1] for run in g}]

    def aligned(self, groups: Sequence[Group], metric: str = "slu_f1") -> Aligned | None:
        """Cells over the seeds they share, None where these are fewer than two or replicates are lacking."""
        seeds = {_seeds(group) for group in groups if _hears(group)}
        if len(seeds) == 1:
            known = self._known(seeds.pop(), metric)
            if known is not None and all(id(group) in known[0] for group in groups):
                return Aligned(_part(known[1], [known[0][id(group)] for group in groups]))
        return aligned(groups, self._replicates, metric)

    def _known(self, seeds: Seeds, metric: str) -> tuple[dict[int, int], Moments] | None:
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
    return Moments(whole.means[at], whole.seed[square], whole.sentence[square], whole.seeds, whole.clusters)


def _seeds(group: Group) -> Seeds:
    return tuple(sorted(run.seeds for run in group))


def _hears(group: Group) -> bool:
    return any(run.speech != "0" for run in group)
