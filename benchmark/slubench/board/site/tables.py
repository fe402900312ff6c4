"""Tables as the page and the terminal show them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from markupsafe import Markup, escape

from slubench.board.panel import Estimate, Panel
from slubench.board.site.axis import Axis, axis_of
from slubench.board.site.html import run_link, runs_behind, strategy_link
from slubench.board.site.plot_style import mark_named
from slubench.board.text import (
    MINUS,
    NO_VALUE,
    bought,
    clipped,
    count,
    duration,
    interval,
    memory,
    percent,
    points,
)
from slubench.board.view import Column, Table


@dataclass(frozen=True)
class TableEntry:
    """One entry of a table.

    Attributes:
        text: As it is read.
        aside: In small print beside it: the interval.
        about: What the interval is, for a tooltip.
        order: What sorting compares; None sorts last.
        whisker: Position of low, value and high on the column's axis in [0, 1], where it is drawn.
        beyond: -1 where the value lies below that axis, 1 above it.
    """

    text: str
    aside: str = ""
    about: str = ""
    order: str | float | None = None
    whisker: tuple[float, float, float] | None = None
    beyond: int = 0


@dataclass(frozen=True)
class ColumnGroup:
    """Adjacent columns under one heading."""

    title: str
    columns: tuple[Column, ...]


@dataclass(frozen=True)
class Filled:
    """A table with all of its entries.

    Attributes:
        rows: A row each, as the table's view makes them.
        columns: Those in which any row has a value, and the first one.
        entries: A list a column, an entry a row.
        axes: Of each column, None where it is not drawn.
    """

    rows: Sequence[Any]
    columns: tuple[Column, ...]
    entries: tuple[list[TableEntry], ...]
    axes: tuple[Axis | None, ...]

    @property
    def groups(self) -> list[ColumnGroup]:
        """Its columns, grouped where adjacent."""
        return [ColumnGroup(title, tuple(some)) for title, some in groupby(self.columns, lambda c: c.group)]


def filled(table: Table, panel: Panel) -> Filled:
    """A table over a panel; each value is computed once."""
    rows = table.rows(panel)
    if table.by_budget:
        rows = sorted(rows, key=lambda row: (row.share, row.speech if row.uses_speech else ""))
    first, *others = (*table.columns, *table.more(panel))
    values = [(column, [column.of(row) for row in rows]) for column in (first, *others)]
    shown = [(c, found) for c, found in values if c is first or any(value is not None for value in found)]
    axes = tuple(_axis(column, found) for column, found in shown)
    entries = tuple(
        [_entry(column, row, value, axis) for row, value in zip(rows, found, strict=True)]
        for (column, found), axis in zip(shown, axes, strict=True)
    )
    return Filled(rows, tuple(column for column, _ in shown), entries, axes)


def _axis(column: Column, values: Sequence[str | float | Estimate | None]) -> Axis | None:
    estimates = [value for value in values if isinstance(value, Estimate)]
    return axis_of(estimates) if column.drawn and estimates else None


def _ends(estimate: Estimate) -> tuple[float, float, float]:
    low = estimate.value if estimate.low is None else estimate.low
    high = estimate.value if estimate.high is None else estimate.high
    return low, estimate.value, high


def _entry(column: Column, cell: Any, value: str | float | Estimate | None, axis: Axis | None) -> TableEntry:
    if value is None:
        return TableEntry(NO_VALUE)
    if isinstance(value, str):
        return TableEntry(clipped(value, LONGEST), order=value[:80].lower())
    if not isinstance(value, Estimate):
        return TableEntry(_written(column, cell, value), order=value)
    signed = column.form == "difference"
    whisker, beyond = None, 0
    if axis is not None:
        low, middle, high = (axis.place(end) for end in _ends(value))
        whisker, beyond = (low, middle, high), axis.beyond(value.value)
    text = percent(value.value) if column.form == "percent" else points(value.value, signed=signed)
    return TableEntry(text, interval(value, signed=signed), value.kind, value.value, whisker, beyond)


def _written(column: Column, cell: Any, value: float) -> str:
    match column.form:
        case "budget":
            return bought(cell.speech, cell.uses_speech)
        case "seconds":
            return duration(value)
        case "bytes":
            return memory(value)
        case "minutes":
            return f"{value:.1f}" if value < 10 else count(value)
        case "count":
            return count(value)
        case "difference":
            return points(value, signed=True)
        case "percent":
            return percent(value)
        case _:
            return points(value)


def axis_ticks(axis: Axis, form: str) -> Markup:
    """The axis of a drawn column, for its head: a line with its first, middle and last ticks named."""
    marked = {0, len(axis.ticks) - 1, *([len(axis.ticks) // 2] if len(axis.ticks) % 2 else [])}
    parts = []
    for at, tick in enumerate(axis.ticks):
        place = f"{_x(axis.place(tick)):.1f}"
        parts.append(f'<path d="M{place} 13V16"/>')
        if at in marked:
            anchor = "start" if at == 0 else "end" if at == len(axis.ticks) - 1 else "middle"
            name = f"{100 * tick:+.3g}" if form == "difference" and tick else f"{100 * tick:.3g}"
            shown = escape(name.replace("-", MINUS))
            parts.append(f'<text x="{place}" y="10" text-anchor="{anchor}">{shown}</text>')
    return Markup(f'<svg class="axis" viewBox="0 0 {WIDTH} 16" aria-hidden="true">{"".join(parts)}</svg>')


def _x(place: float) -> float:
    return 2 + (WIDTH - 4) * place


WIDTH = 120
"""Of a drawn interval, in pixels."""
LONGEST = 500
"""Characters of an entry."""


Swatch = Callable[..., str]


def table_body(
    panel: Panel, made: Filled, folds: Mapping[str, int], root: str, by_budget: bool, swatch: Swatch
) -> Markup:
    """The rows of a table.

    The name of a strategy leads to its page, a budget to the page of its runs.

    Args:
        panel: What it tells of.
        made: Its rows and entries.
        folds: A number for each group of columns that can be folded away.
        root: From the page to the folder's root.
        by_budget: Whether the first row of each budget but the first is marked.
        swatch: Draws a strategy's mark.
    """
    lines = []
    ticks = [_grid(axis) for axis in made.axes]
    before: object = None
    for place, row in enumerate(made.rows):
        tier = getattr(row, "tier", None)
        proof = f' data-proof="{escape(clipped(tier))}"' if tier is not None else ""
        budget = (row.speech, row.uses_speech) if by_budget else None
        starts = ' class="next"' if place and budget != before else ""
        before = budget
        lines.append(f"<tr{proof}{starts}>")
        lines.append(_head(panel, row, made.entries[0][place], root, swatch))
        for column, entries, grid in zip(made.columns[1:], made.entries[1:], ticks[1:], strict=True):
            runs = runs_behind(panel, row) if column.form == "budget" else ()
            link = f"{root}{run_link(runs[0])}" if runs else ""
            lines.append(_cell(column, entries[place], folds.get(column.group, 0), link, len(runs), grid))
        lines.append("</tr>\n")
    return Markup("".join(lines))


def _grid(axis: Axis | None) -> str:
    """Faint lines at the ticks."""
    if axis is None:
        return ""
    return f'<path class="grid" d="{"".join(f"M{_x(axis.place(tick)):.1f} 0V16" for tick in axis.ticks)}"/>'


def _head(panel: Panel, row: Any, entry: TableEntry, root: str, swatch: Swatch) -> str:
    name = f"<bdi>{escape(entry.text)}</bdi>"
    strategy = getattr(row, "strategy", None)
    if strategy is not None:
        mark = swatch(*mark_named(strategy))
        name = f'{mark} <a href="{root}{strategy_link(strategy)}">{name}</a>'
    return f'<th scope="row" data-order="{escape(entry.order)}">{name}</th>'


def _cell(column: Column, entry: TableEntry, fold: int, link: str, runs: int, grid: str) -> str:
    order = "" if entry.order is None else f' data-order="{escape(entry.order)}"'
    if entry.whisker:
        low, middle, high = (f"{_x(end):.1f}" for end in entry.whisker)
        at = {-1: "M5 4L1 8L5 12", 0: f"M{middle} 3V13", 1: f"M{WIDTH - 5} 4L{WIDTH - 1} 8L{WIDTH - 5} 12"}
        return (
            f'<td class="drawn g{fold}"{order} title="{escape(entry.about)}"><div><b>{escape(entry.text)}</b>'
            f'<svg class="whisker" viewBox="0 0 {WIDTH} 16" aria-hidden="true">{grid}'
            f'<path d="M{low} 8H{high}"/><path class="at" d="{at[entry.beyond]}"/></svg>'
            f"<small>{escape(entry.aside)}</small></div></td>"
        )
    kinds = " ".join(
        [
            f"g{fold}",
            *(["words"] if column.form in ("text", "command") else []),
            *(["budget"] if column.form == "budget" else []),
            *(["quiet"] if column.quiet else []),
        ]
    )
    about = f' title="{escape(entry.aside)}"' if entry.aside else ""
    text = str(escape(entry.text))
    if column.form == "command":
        text = f"<code>{text}</code>"
    if link:
        counted = "run page" if runs == 1 else f"its {runs} runs"
        text = f'<a href="{link}" title="{counted}">{text}</a>'
    return f'<td class="{kinds}"{order}{about}>{text}</td>'
