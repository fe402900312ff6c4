"""Where a strategy with less speech does what direct mixing does with more."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from slubench.board.evidence import Evidence
from slubench.board.ranking import difference_of
from slubench.board.runs import ScoredRun
from slubench.findings import TIE, SameQuality

Group = Sequence[ScoredRun]


def same_quality(
    groups: Sequence[Group], mixing: Sequence[Group], evidence: Evidence
) -> Iterator[SameQuality]:
    """For each of a strategy's budgets the largest of direct mixing's that it does not fall behind.

    It does not fall behind where the lower end of the interval of the difference is above minus the margin
    of a tie. The interval's level is corrected (Bonferroni) for all pairs of budgets looked at.

    Args:
        groups: A strategy's runs, a group a budget.
        mixing: Direct mixing's runs, a group a budget.
        evidence: Of the panel.
    """
    pairs = [
        (own, other)
        for own in sorted(groups, key=_share)
        for other in sorted(mixing, key=_share)
        if own[0].speech != "0" and _share(other) > _share(own)
    ]
    best: dict[str, SameQuality] = {}
    for own, other in pairs:
        found = evidence.aligned([own, other])
        if found is None:
            continue
        difference = difference_of(found.measured.estimate(np.array([1.0, -1.0]), 1 - 0.05 / len(pairs)))
        if difference.low >= -TIE:
            best[own[0].speech] = SameQuality(
                strategy=own[0].row["strategy"],
                speech=own[0].speech,
                other=other[0].speech,
                difference=difference,
            )
    yield from best.values()


def _share(group: Group) -> float:
    return float(group[0].row["speech_share"])
