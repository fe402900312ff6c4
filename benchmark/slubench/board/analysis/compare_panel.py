"""Compares the cells of a panel: rankings, gap closed and equal quality."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from slubench.board.analysis.gap_closed import closure_of
from slubench.board.analysis.pairing import Evidence
from slubench.board.analysis.ranking import ranking_of, same_quality
from slubench.board.comparisons import Comparisons
from slubench.board.panel import DIRECT_MIX, RANKED_TIERS, TEXT_ONLY
from slubench.board.runs import ScoredRun

Group = Sequence[ScoredRun]


def findings_of(groups: Sequence[Group], evidence: Evidence) -> Comparisons:
    """All comparisons within one panel, within each engine.

    Args:
        groups: The newest runs of each cell.
        evidence: Of the panel's cells.
    """
    ranked = sorted((g for g in groups if g[0].row["tier"] in RANKED_TIERS and _trained(g)), key=_order)
    findings = [_of_engine(list(some), evidence) for _, some in groupby(ranked, key=lambda g: g[0].engine)]
    return Comparisons(
        rankings=tuple(one for found in findings for one in found.rankings),
        closures=tuple(one for found in findings for one in found.closures),
        same=tuple(one for found in findings for one in found.same),
    )


def _of_engine(groups: Sequence[Group], evidence: Evidence) -> Comparisons:
    cells: dict[tuple[str, str], Group] = {}
    for group in groups:
        key = _name(group), group[0].speech
        # Of two tiers, servings or versions of an engine the cell of most seeds speaks for the strategy.
        if key not in cells or len(group) > len(cells[key]):
            cells[key] = group
    silent = [group for group in cells.values() if not group[0].uses_speech]
    hearing = [group for group in cells.values() if group[0].uses_speech]
    speeches = dict.fromkeys(group[0].speech for group in sorted(hearing, key=_share))
    rankings = (
        ranking_of([*(g for g in hearing if g[0].speech == speech), *silent], evidence) for speech in speeches
    )
    by_name: dict[str, list[Group]] = {}
    for group in hearing:
        if not group[0].speech.startswith("few"):
            by_name.setdefault(_name(group), []).append(group)
    alone, whole = cells.get((TEXT_ONLY, "0")), cells.get((DIRECT_MIX, "100%"))
    return Comparisons(
        rankings=tuple(ranking for ranking in rankings if ranking is not None),
        closures=tuple(closure_of(some, alone, whole, evidence) for some in by_name.values()),
        same=tuple(
            same
            for name, some in by_name.items()
            if name != DIRECT_MIX
            for same in same_quality(some, by_name.get(DIRECT_MIX, []), evidence)
        ),
    )


def _order(group: Group) -> tuple[object, ...]:
    row = group[0].row
    proven = row["tier"] != "retrained"
    return group[0].engine, _name(group), group[0].speech, proven, row["tier"], row["engine"], row["serving"]


def _name(group: Group) -> str:
    return group[0].strategy


def _share(group: Group) -> float:
    return float(group[0].row["speech_share"])


def _trained(group: Group) -> bool:
    return any(run.row["updates"] for run in group)
