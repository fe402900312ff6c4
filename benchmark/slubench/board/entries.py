"""A table's entries as the page and the terminal write them."""

from __future__ import annotations

from collections.abc import Iterator
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


def shown_columns(table: Table, panel: Panel) -> tuple[Column, ...]:
    """The columns in which any cell of the panel has a value, and the first one."""
    first, *others = table.columns
    rows = table.rows(panel)
    return (first, *(c for c in others if any(c.of(row) is not None for row in rows)))


def groups_of(columns: tuple[Column, ...]) -> list[ColumnGroup]:
    """Columns by their neighbouring groups."""
    return [
        ColumnGroup(title, tuple(group)) for title, group in groupby(columns, lambda column: column.group)
    ]


def entries_of(column: Column, panel: Panel, table: Table | None = None) -> Iterator[Entry]:
    """A column's entries, a row of the table each; by default a cell of the panel each."""
    rows = panel.cells if table is None else table.rows(panel)
    values = [column.of(row) for row in rows]
    ends = [end for value in values if isinstance(value, Estimate) for end in _ends(value)]
    scale = (min(ends), max(ends)) if column.drawn and ends else None
    for cell, value in zip(rows, values, strict=True):
        yield _entry(column, cell, value, scale)


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
