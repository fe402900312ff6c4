"""Rows trained for fewer updates than the rules give their cell; marked in tables and notes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from slubench.board.panel import Cell
from slubench.board.text import budget, clipped, count


class FewerUpdates(NamedTuple):
    """The updates used, and those that the rules give."""

    used: float
    given: float

    def __str__(self) -> str:
        return f"{count(self.used)} of {count(self.given)}"


def fewer_updates(cell: Cell) -> FewerUpdates | None:
    """The updates of a row that used fewer than its cell has; None for other rows."""
    used, given = cell.counts.get("updates"), cell.counts.get("cell_updates")
    # What learns nothing has no updates to use.
    return FewerUpdates(used, given) if used and given and used < given else None


def updates_told(cells: Iterable[Cell]) -> Iterator[str]:
    """A sentence for each row that used fewer."""
    for cell in cells:
        if (fewer := fewer_updates(cell)) is not None:
            where = f" at {budget(cell.speech)}" if cell.uses_speech else ""
            yield f"{clipped(cell.strategy, 32)}{where} trained for {fewer} updates."
