"""Tables as the page and the terminal show them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from markupsafe import Markup, escape

from slubench.board.panel import Estimate, Panel
from slubench.board.site.html import run_link, runs_behind, strategy_link
from slubench.board.site.plot_style import series_and_dash
from slubench.board.text import NO_VALUE, budget, clipped, count, duration, interval, percent, points
from slubench.board.view import Column, Table


@dataclass(frozen=True)
class TableEntry:
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
    """

    rows: Sequence[Any]
    columns: tuple[Column, ...]
    entries: tuple[list[TableEntry], ...]

    @property
    def groups(self) -> list[ColumnGroup]:
        """Its columns, grouped where adjacent."""
        return [ColumnGroup(title, tuple(some)) for title, some in groupby(self.columns, lambda c: c.group)]


def filled(table: Table, panel: Panel) -> Filled:
    """A table over a panel; each value is computed once."""
    rows = table.rows(panel)
    first, *others = (*table.columns, *table.more(panel))
    values = [(column, [column.of(row) for row in rows]) for column in (first, *others)]
    shown = [(c, found) for c, found in values if c is first or any(value is not None for value in found)]
    entries = tuple(_entries(column, rows, found) for column, found in shown)
    return Filled(rows, tuple(column for column, _ in shown), entries)


def _entries(
    column: Column, rows: Sequence[Any], values: Sequence[str | float | Estimate | None]
) -> list[TableEntry]:
    ends = [end for value in values if isinstance(value, Estimate) for end in _ends(value)]
    scale = (min(ends), max(ends)) if column.drawn and ends else None
    return [_entry(column, row, value, scale) for row, value in zip(rows, values, strict=True)]


def _ends(estimate: Estimate) -> tuple[float, float, float]:
    low = estimate.value if estimate.low is None else estimate.low
    high = estimate.value if estimate.high is None else estimate.high
    return low, estimate.value, high


def _entry(
    column: Column, cell: Any, value: str | float | Estimate | None, scale: tuple[float, float] | None
) -> TableEntry:
    if value is None:
        return TableEntry(NO_VALUE)
    if isinstance(value, str):
        return TableEntry(clipped(value), order=value[:80].lower())
    if not isinstance(value, Estimate):
        return TableEntry(_written(column, cell, value), order=value)
    signed = column.form == "difference"
    whisker = None
    if scale is not None:
        width = (scale[1] - scale[0]) or 1.0
        low, middle, high = ((end - scale[0]) / width for end in _ends(value))
        whisker = (low, middle, high)
    text = percent(value.value) if column.form == "percent" else points(value.value, signed=signed)
    return TableEntry(text, interval(value, signed=signed), value.kind, value.value, whisker)


def _written(column: Column, cell: Any, value: float) -> str:
    match column.form:
        case "budget":
            return budget(cell.speech) if cell.uses_speech else "0"
        case "seconds":
            return duration(value)
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


Swatch = Callable[[int, int], str]


def table_body(panel: Panel, made: Filled, folds: Mapping[str, int], root: str, swatch: Swatch) -> Markup:
    """The rows of a table.

    The name of a strategy leads to its page, a budget to the page of its runs.

    Args:
        panel: What it tells of.
        made: Its rows and entries.
        folds: A number for each group of columns that can be folded away.
        root: From the page to the folder's root.
        swatch: Draws a strategy's mark.
    """
    lines = []
    for place, row in enumerate(made.rows):
        tier = getattr(row, "tier", None)
        lines.append(f'<tr data-proof="{escape(clipped(tier))}">' if tier is not None else "<tr>")
        lines.append(_head(panel, row, made.entries[0][place], root, swatch))
        for column, entries in zip(made.columns[1:], made.entries[1:], strict=True):
            runs = runs_behind(panel, row) if column.form == "budget" else ()
            link = f"{root}{run_link(runs[0])}" if runs else ""
            lines.append(_cell(column, entries[place], folds.get(column.group, 0), link, len(runs)))
        lines.append("</tr>\n")
    return Markup("".join(lines))


def _head(panel: Panel, row: Any, entry: TableEntry, root: str, swatch: Swatch) -> str:
    name = f"<bdi>{escape(entry.text)}</bdi>"
    strategy = getattr(row, "strategy", None)
    if strategy is not None:
        mark = swatch(*series_and_dash(panel, strategy))
        name = f'{mark} <a href="{root}{strategy_link(strategy)}">{name}</a>'
    return f'<th scope="row" data-order="{escape(entry.order)}">{name}</th>'


def _cell(column: Column, entry: TableEntry, fold: int, link: str, runs: int) -> str:
    order = "" if entry.order is None else f' data-order="{escape(entry.order)}"'
    if entry.whisker:
        low, middle, high = (f"{2 + 96 * end:.1f}" for end in entry.whisker)
        return (
            f'<td class="drawn g{fold}"{order} title="{escape(entry.about)}"><div><b>{escape(entry.text)}</b>'
            '<svg class="whisker" viewBox="0 0 100 16" preserveAspectRatio="none" aria-hidden="true">'
            f'<path d="M{low} 8H{high}"/><path class="at" d="M{middle} 3V13"/></svg>'
            f"<small>{escape(entry.aside)}</small></div></td>"
        )
    kinds = " ".join(
        [
            f"g{fold}",
            *(["words"] if column.form == "text" else []),
            *(["budget"] if column.form == "budget" else []),
            *(["quiet"] if column.quiet else []),
        ]
    )
    about = f' title="{escape(entry.aside)}"' if entry.aside else ""
    text = str(escape(entry.text))
    if link:
        counted = "run page" if runs == 1 else f"its {runs} runs"
        text = f'<a href="{link}" title="{counted}">{text}</a>'
    return f'<td class="{kinds}"{order}{about}>{text}</td>'
