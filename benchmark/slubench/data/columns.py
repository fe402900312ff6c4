"""Compares the columns of a file with the declared ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from slubench.domain.corpus import ANY, BOOLEAN, INTEGER, LIST, STRING, STRUCT, Layout
from slubench.errors import DataError

# Python's types of a JSON value that stand for each kind; an id may be a number in one file and a string
# in another.
JSON_TYPES: Mapping[str, tuple[type, ...]] = {
    STRING: (str, type(None)),
    INTEGER: (int, type(None)),
    BOOLEAN: (bool, type(None)),
    LIST: (list, type(None)),
    STRUCT: (dict, type(None)),
    ANY: (object,),
}


class ColumnDifference(NamedTuple):
    """A column that does not match its declaration.

    Attributes:
        column: Its name.
        what: What is different.
        serious: Whether the corpus cannot be read for it.
    """

    column: str
    what: str
    serious: bool


def renamed(layout: Layout, held: Iterable[str]) -> dict[str, str]:
    """The names of declared columns in a file, by the names that `read` uses."""
    there = set(held)
    names = {}
    for column in (*layout.columns, *layout.optional):
        for candidate in (column, *layout.names.get(column, ())):
            if candidate in there:
                names[column] = candidate
                break
    return names


def differences(layout: Layout, names: Mapping[str, str], held: Mapping[str, str]) -> list[ColumnDifference]:
    """Differences between a file's columns and the declaration.

    Args:
        layout: What is declared.
        names: From `renamed`.
        held: What each of the file's columns holds.
    """
    found = []
    for column, kind in (*layout.columns.items(), *layout.optional.items()):
        needed = column in layout.columns
        theirs = names.get(column)
        if theirs is None:
            found.append(ColumnDifference(column, "is missing", needed))
        elif kind not in (ANY, held[theirs]):
            found.append(ColumnDifference(theirs, f"holds {held[theirs]}, expected {kind}", True))
    known = {*names.values()}
    found += [
        ColumnDifference(name, "is not declared and is ignored", False) for name in held if name not in known
    ]
    return found


def check_columns(path: Path, layout: Layout, names: Mapping[str, str], held: Mapping[str, str]) -> None:
    """Refuse a file whose columns cannot be read.

    Raises:
        DataError: Names the columns, what they hold and what is expected.
    """
    serious = [difference for difference in differences(layout, names, held) if difference.serious]
    missing = [difference.column for difference in serious if difference.what == "is missing"]
    other = [f"{column} {what}" for column, what, _ in serious if what != "is missing"]
    assumed = " (its column names were assumed)" if layout.assumed else ""
    read = f"{layout.name}{assumed} is read from the columns {', '.join(layout.columns)}"
    if missing:
        raise DataError(
            f"{path} lacks the column {', '.join(missing)}; {read}. It has: {', '.join(sorted(held))}."
        )
    if other:
        raise DataError(f"{path}: the column {'; the column '.join(other)}. {read}.")


def check_values(layout: Layout, names: Mapping[str, str], row: Mapping[str, Any]) -> None:
    """Refuse a row of JSON whose columns cannot be read.

    Raises:
        DataError: Names the columns.
    """
    missing = [column for column in layout.columns if column not in names]
    if missing:
        there = ", ".join(sorted(row))
        raise DataError(f"lacks the column {', '.join(missing)} of {layout.name}; it has: {there}")
    for column, theirs in names.items():
        kind = layout.columns.get(column) or layout.optional[column]
        if not isinstance(row[theirs], JSON_TYPES[kind]):
            raise DataError(f"the column {theirs} holds {type(row[theirs]).__name__}, expected {kind}")
