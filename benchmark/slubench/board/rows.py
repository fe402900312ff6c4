"""A table's body as HTML. Made here and not in the template, as a page may have a hundred thousand cells."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from markupsafe import Markup, escape

from slubench.board.entries import Entry, Filled
from slubench.board.links import run_link, runs_behind, strategy_link
from slubench.board.series import series_and_dash
from slubench.board.wording import clipped
from slubench.view import Column, Panel

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
            lines.append(_cell(column, entries[place], folds[column.group], link, len(runs)))
        lines.append("</tr>\n")
    return Markup("".join(lines))


def _head(panel: Panel, row: Any, entry: Entry, root: str, swatch: Swatch) -> str:
    name = f"<bdi>{escape(entry.text)}</bdi>"
    strategy = getattr(row, "strategy", None)
    if strategy is not None:
        mark = swatch(*series_and_dash(panel, strategy))
        name = f'{mark} <a href="{root}{strategy_link(strategy)}">{name}</a>'
    return f'<th scope="row" data-order="{escape(entry.order)}">{name}</th>'


def _cell(column: Column, entry: Entry, fold: int, link: str, runs: int) -> str:
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
        counted = "its run" if runs == 1 else f"its {runs} runs"
        text = f'<a href="{link}" title="{counted}">{text}</a>'
    return f'<td class="{kinds}"{order}{about}>{text}</td>'
