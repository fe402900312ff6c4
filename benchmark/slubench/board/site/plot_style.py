"""The colour, shape and dash of a strategy. They follow from its name alone, so they never move.

The colours themselves are the theme's. A strategy's `series` is its place among them: 0 for text-only, 1
for zero-shot, then six for all others.
"""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from typing import Any, Final, NamedTuple

from slubench.board.panel import TEXT_ONLY, Cell
from slubench.board.text import clipped

HEARING: Final = 6
SHAPES: Final = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down")
DASHES: Final = ((1, 0), (6, 3), (2, 2), (8, 2, 2, 2))


class Mark(NamedTuple):
    """How a strategy is drawn.

    Attributes:
        series: Its place among the theme's colours.
        shape: Its place in `SHAPES`.
        dash: Its place in `DASHES`.
    """

    series: int
    shape: int = 0
    dash: int = 0


OF_THE_SHELF: Final = {
    TEXT_ONLY: Mark(0),
    "zero-shot": Mark(1),
    "zero-shot-ontology": Mark(1, 3),
    "curriculum": Mark(2, 0),
    "direct-mix": Mark(3, 1),
    "speech-only": Mark(4, 2),
}
"""Marks of the package's strategies; those of others are drawn by a hash of their names."""


@cache
def mark_named(strategy: str) -> Mark:
    """The mark of a strategy."""
    if (known := OF_THE_SHELF.get(strategy)) is not None:
        return known
    number = int.from_bytes(sha256(strategy.encode("utf-8", "replace")).digest()[:8], "big")
    # Solid lines are the shelf's, so that nothing looks like one of its strategies.
    number, dash = divmod(number, len(DASHES) - 1)
    number, colour = divmod(number, HEARING)
    return Mark(2 + colour, number % len(SHAPES), 1 + dash)


def mark_of(cell: Cell) -> dict[str, Any]:
    """The columns of a plot's row that identify its strategy."""
    mark = mark_named(cell.strategy)
    return {
        "strategy": clipped(cell.strategy, 40),
        "series": mark.series,
        "shape": mark.shape,
        "dash": mark.dash,
        "seeds": len(cell.seeds),
    }
