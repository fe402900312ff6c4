"""Where strategies stand at each budget, in words: who is first, and whom nothing separates."""

from __future__ import annotations

from collections.abc import Iterator

from slubench.board.wording import budget, clipped, listed, seeds
from slubench.findings import CLAIMS_FROM, Ranked, Ranking
from slubench.view import Panel


def standings(panel: Panel) -> Iterator[str]:
    """A sentence a budget."""
    engines = {ranking.engine for ranking in panel.findings.rankings}
    for ranking in panel.findings.rankings:
        yield _standing(ranking, f", {clipped(ranking.engine, 32)}" if len(engines) > 1 else "")


def ranks(row: Ranked) -> str:
    """The set of ranks a strategy may have."""
    return f"{row.first}" if row.first == row.last else f"{row.first}\N{EN DASH}{row.last}"


def _standing(ranking: Ranking, engine: str) -> str:
    lacking = f"; not ranked, lacking: {'; '.join(ranking.missing)}" if ranking.missing else ""
    where = f"At {budget(ranking.speech)}{engine}"
    if not ranking.rows:
        return f"{where}: not ranked, lacking: {'; '.join(ranking.missing)}."
    first = [clipped(row.strategy, 32) for row in ranking.rows if row.first == 1]
    others = [f"{clipped(row.strategy, 32)} (rank {ranks(row)})" for row in ranking.rows if row.first > 1]
    fewest = min(row.seeds for row in ranking.rows)
    found = f"{first[0]} is first" if len(first) == 1 else f"{listed(first)} are not separated"
    after = f"; then {', '.join(others)}" if others else ""
    few = f"; {seeds(fewest)} say this of these trained models alone" if fewest < CLAIMS_FROM else ""
    return f"{where}: {found}{after}{few}{lacking}."
