"""The colour, shape and dash of a strategy, the same on the whole page.

The colours themselves are the theme's. A strategy's `series` is its place among them: 0 for text-only, 1
for others that hear nothing, then six for those that do, told apart further by dashes.
"""

from __future__ import annotations

from typing import Any, Final

from slubench.board.panel import TEXT_ONLY, Cell, Panel
from slubench.board.text import clipped

HEARING: Final = 6
SHAPES: Final = ("circle", "circle", "circle", "square", "triangle-up", "diamond", "cross", "triangle-down")
DASHES: Final = ((1, 0), (6, 3), (2, 2), (8, 2, 2, 2))


def series_and_dash(panel: Panel, strategy: str) -> tuple[int, int]:
    """A strategy's place among the theme's colours, and the dash that distinguishes it within a colour."""
    number = panel.series.get(strategy)
    if number is None:
        return (0 if strategy == TEXT_ONLY else 1), 0
    return 2 + number % HEARING, number // HEARING % len(DASHES)


def mark_of(panel: Panel, cell: Cell) -> dict[str, Any]:
    """The columns of a plot's row that identify its strategy."""
    series, dash = series_and_dash(panel, cell.strategy)
    return {"strategy": clipped(cell.strategy, 40), "series": series, "dash": dash, "seeds": len(cell.seeds)}
