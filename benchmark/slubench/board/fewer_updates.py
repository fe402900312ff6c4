"""Rows that trained for fewer updates than the rules give their cell, which both table and notes tell."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from slubench.board.panel import Cell
from slubench.board.text import bought, clipped, count


class FewerUpdates(NamedTuple):
    """Updates that were used, and those that the rules give."""

    used: float
    given: float

    def __str__(self) -> str:
        return f"{count(self.used)} of {count(self.given)}"


def fewer_updates(cell: Cell) -> FewerUpdates | None:
    """What a row used where that is fewer than its cell has, None where it is all of them or not known."""
    used, given = cell.counts.get("updates"), cell.counts.get("cell_updates")
    # What learns nothing has no updates to use.
    return FewerUpdates(used, given) if used and given and used < given else None


def updates_told(cells: Iterable[Cell]) -> Iterator[str]:
    """A sentence for each row that used fewer."""
    for cell in cells:
        if (fewer := fewer_updates(cell)) is not None:
            where = f" at {bought(cell.speech, True)}" if cell.uses_speech else ""
            yield f"{clipped(cell.strategy, 32)}{where} trained for {fewer} updates."
