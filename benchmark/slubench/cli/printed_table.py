"""Rows for people on a terminal, and as lines with tabs where a program reads them."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

FOLDED = ("name", "part")
"""Columns that are never cut, since they are copied."""
SHORT = 16
"""Columns with at most so many characters are never cut either."""


def plain_console(*, stderr: bool = False) -> Console:
    """A console that prints text as it is: `[gpu]` in a name or a remedy is no markup."""
    from rich.console import Console

    return Console(stderr=stderr, highlight=False, markup=False, emoji=False)


def print_table(title: str, rows: Sequence[Mapping[str, str]], *, several: bool = False) -> None:
    """Print rows as a table on a terminal, a line each; in a pipe as tab-separated lines with a header.

    Args:
        title: What they are, as in `tasks`.
        rows: Their columns by name, all alike.
        several: Whether other tables are printed too; then a blank line ends this one in a pipe.
    """
    if not sys.stdout.isatty():
        if rows:
            print("\t".join(rows[0]))
        for row in rows:
            print("\t".join(" ".join(str(value).split()) for value in row.values()))
        if several:
            print()
        return
    from rich import box
    from rich.table import Table

    console = plain_console()
    columns = list(rows[0]) if rows else []
    longest = {column: max(len(column), *(len(row[column]) for row in rows)) for column in columns}
    # Columns with a ratio share what the others leave; without `expand` they would be as wide as their text.
    narrow = sum(longest.values()) + 3 * len(columns) > console.width
    table = Table(
        title=f"{title} ({len(rows)})",
        title_justify="left",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        padding=(0, 1, 0, 0),
        expand=narrow,
    )
    for column, width in longest.items():
        cut = width > SHORT and column not in FOLDED
        last = column in FOLDED and column == columns[-1]
        table.add_column(
            column,
            style="bold" if column in FOLDED else None,
            overflow="fold" if last else "ellipsis",
            no_wrap=not last,
            min_width=None if cut or last else width,
            ratio=width if (cut or last) and narrow else None,
        )
    for row in rows:
        table.add_row(*row.values())
    console.print(table)
