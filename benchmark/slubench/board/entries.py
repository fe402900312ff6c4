"""A table's entries as the page and the terminal write them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from slubench.board.wording import NO_VALUE, budget, clipped, count, duration, interval, points
from slubench.view import Column, Estimate, Panel, Table


@dataclass(frozen=True)
class Entry:
    """One entry of a table.

    Attributes:
        text: As it is read.
        aside: In small print beside it: the interval.
        about: What the interval is, for a tooltip.
        order: What sorting compares; None sorts last.
        whisker: Position of low, value and high on the column's scale in [0, 1], where it is drawn.
    """

    text: str
    aside: str = ""
    about: str = ""
    order: str | float | None = None
    whisker: tuple[float, float, float] | None = None


@dataclass(frozen=True)
class ColumnGroup:
    """Neighbouring columns under one head."""

    title: str
    columns: tuple[Column, ...]


@dataclass(frozen=True)
class Filled:
    """A table with all that stands in it.

    Attributes:
        rows: A row each, as the table's view makes them.
        columns: Those in which any row has a value, and the first one.
        entries: A list a column, an entry a row.
    """

    rows: Sequence[Any]
    columns: tuple[Column, ...]
    entries: tuple[list[Entry], ...]

    @property
    def groups(self) -> list[ColumnGroup]:
        """Its columns by their neighbouring groups."""
        return [ColumnGroup(title, tuple(some)) for title, some in groupby(self.columns, lambda c: c.group)]


def filled(table: Table, panel: Panel) -> Filled:
    """A table over a panel, each value looked up once."""
    rows = table.rows(panel)
    first, *others = table.columns
    values = [(column, [column.of(row) for row in rows]) for column in (first, *others)]
    shown = [(c, found) for c, found in values if c is first or any(value is not None for value in found)]
    entries = tuple(_entries(column, rows, found) for column, found in shown)
    return Filled(rows, tuple(column for column, _ in shown), entries)


def _entries(
    column: Column, rows: Sequence[Any], values: Sequence[str | float | Estimate | None]
) -> list[Entry]:
    ends = [end for value in values if isinstance(value, Estimate) for end in _ends(value)]
    scale = (min(ends), max(ends)) if column.drawn and ends else None
    return [_entry(column, row, value, scale) for row, value in zip(rows, values, strict=True)]


def _ends(estimate: Estimate) -> tuple[float, float, float]:
    low = estimate.value if estimate.low is None else estimate.low
    high = estimate.value if estimate.high is None else estimate.high
    return low, estimate.value, high


def _entry(
    column: Column, cell: Any, value: str | float | Estimate | None, scale: tuple[float, float] | None
) -> Entry:
    if value is None:
        return Entry(NO_VALUE)
    if isinstance(value, str):
        return Entry(clipped(value), order=value[:80].lower())
    if not isinstance(value, Estimate):
        return Entry(_written(column, cell, value), order=value)
    signed = column.form == "difference"
    whisker = None
    if scale is not None:
        width = (scale[1] - scale[0]) or 1.0
        low, middle, high = ((end - scale[0]) / width for end in _ends(value))
        whisker = (low, middle, high)
    return Entry(
        points(value.value, signed=signed), interval(value, signed=signed), value.kind, value.value, whisker
    )


def _written(column: Column, cell: Any, value: float) -> str:
    match column.form:
        case "budget":
            return budget(cell.speech) if cell.hears else "0"
        case "seconds":
            return duration(value)
        case "minutes":
            return f"{value:.1f}" if value < 10 else count(value)
        case "count":
            return count(value)
        case "difference":
            return points(value, signed=True)
        case _:
            return points(value)
