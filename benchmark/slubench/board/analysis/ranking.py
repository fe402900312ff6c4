"""Ranks strategies at a budget by their mean paired difference to direct mixing, with sets of ranks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from slubench.board.analysis.pairing import Evidence
from slubench.board.analysis.separation import paired, together
from slubench.board.comparisons import TIE, Difference, Ranked, Ranking, SameQuality
from slubench.board.panel import DIRECT_MIX
from slubench.board.runs import ScoredRun
from slubench.board.text import clipped
from slubench.metrics.statistics import rank_sets

Group = Sequence[ScoredRun]


def ranking_of(groups: Sequence[Group], evidence: Evidence) -> Ranking | None:
    """The ranking at one budget.

    Every pair is compared over all seeds that the two share; a strategy that lacks seeds costs the others
    none.

    Args:
        groups: The runs of each strategy at the budget, and of strategies that hear nothing.
        evidence: Of the panel.

    Returns:
        None where no strategy heard speech at this budget beside direct mixing.
    """
    at = [group for group in groups if group[0].uses_speech]
    reference = next((group for group in groups if _name(group) == DIRECT_MIX), None)
    if not at or (reference is not None and len(groups) < 2):
        return None
    row = at[0][0].row
    missing: list[str] = []
    ranked: list[Group] = []
    if reference is None:
        missing.append(f"{DIRECT_MIX} at this budget, against which strategies are ranked")
    else:
        for group in groups:
            if group is reference or evidence.aligned([group, reference]) is not None:
                ranked.append(group)
            else:
                why = evidence.lacking([group, reference], DIRECT_MIX)
                missing.append(f"{clipped(_name(group), 40)}: {why}")
    pairs = _pairs(ranked, evidence)
    rows = _rows(ranked, pairs, reference) if reference is not None and len(ranked) > 1 else ()
    return Ranking(
        speech=at[0][0].speech,
        share=row["speech_share"],
        engine=row["engine"],
        rows=rows,
        missing=tuple(missing),
        pairs={(_name(ranked[i]), _name(ranked[j])): one for (i, j), one in pairs.items()},
    )


def _pairs(groups: Sequence[Group], evidence: Evidence) -> dict[tuple[int, int], Difference]:
    """The differences of all pairs that share seeds, corrected together."""
    found = {
        (i, j): aligned.measured
        for i in range(len(groups))
        for j in range(i + 1, len(groups))
        if (aligned := evidence.aligned([groups[i], groups[j]])) is not None
    }
    return dict(zip(found, together([paired(measured) for measured in found.values()]), strict=True))


def _rows(
    groups: Sequence[Group], pairs: dict[tuple[int, int], Difference], reference: Group
) -> tuple[Ranked, ...]:
    better = [pair for pair, difference in pairs.items() if difference.verdict == "better"]
    worse = [(j, i) for (i, j), difference in pairs.items() if difference.verdict == "worse"]
    # What ties, however small its p, parts no ranks.
    sets = rank_sets(len(groups), [*better, *worse])
    at = next(place for place, group in enumerate(groups) if group is reference)
    rows = []
    for place, group in enumerate(groups):
        difference = pairs.get((place, at))
        if (turned := pairs.get((at, place))) is not None:
            difference = turned.turned()
        rows.append(
            Ranked(
                strategy=_name(group),
                speech=group[0].speech,
                difference=difference,
                first=sets[place].first,
                last=sets[place].last,
                seeds=difference.seeds if difference else len(group),
                runs=tuple(run.page for run in group),
            )
        )
    return tuple(sorted(rows, key=lambda row: -row.difference.value if row.difference else 0.0))


def _name(group: Group) -> str:
    return group[0].strategy


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
        difference = paired(found.measured)(1 - 0.05 / len(pairs))
        if difference.low >= -TIE and not difference.degenerate:
            best[own[0].speech] = SameQuality(
                strategy=own[0].strategy,
                speech=own[0].speech,
                other=other[0].speech,
                difference=difference,
            )
    yield from best.values()


def _share(group: Group) -> float:
    return float(group[0].row["speech_share"])
