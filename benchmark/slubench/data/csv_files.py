"""Rows of CSV and TSV, and the text of a file, plain or gzipped."""

from __future__ import annotations

import csv
import gzip
import io
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from slubench.errors import DataError

STRUCTURED: Final = ("entities", "labels", "recordings", "tokens")
"""Columns whose cells hold JSON in CSV."""
_SEPARATORS: Final = (",", "\t", ";")


def opened(path: Path, most: int = -1) -> bytes:
    """The first bytes of a file, or all.

    Raises:
        DataError: It cannot be read completely.
    """
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            return file.read(most)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path} cannot be read completely ({error}).") from None


def text_of(path: Path) -> str:
    """The text of a file in UTF-8.

    Raises:
        DataError: It is in another encoding.
    """
    try:
        return opened(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not UTF-8 (byte {error.start}). Save it as UTF-8.") from None


def csv_rows(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """The rows of a table of predictions or gold, each with its place; structured cells are parsed.

    Raises:
        DataError: See `cells_of`, or a structured cell does not hold JSON.
    """
    for place, cells in cells_of(path):
        yield place, _row(cells, f"{path}, {place}")


def cells_of(path: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """The cells of a table with a header by their columns, each row with its place.

    Raises:
        DataError: It is not CSV, or a row has another number of cells; the message names the line.
    """
    text = text_of(path)
    header = text.partition("\n")[0]
    separator = max(_SEPARATORS, key=header.count)
    csv.field_size_limit(2**31 - 1)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        names = [name.strip() for name in next(reader, [])]
        if len(set(names)) < len(names):
            raise DataError(f"{path}: a column of the header occurs twice: {', '.join(names)}.")
        for cells in reader:
            if not any(cells):
                continue
            if len(cells) != len(names):
                raise DataError(
                    f"{path}, line {reader.line_num}: {len(cells)} cells, but the header has {len(names)}"
                    " columns. Put cells that contain a separator into double quotes."
                )
            yield f"line {reader.line_num}", dict(zip(names, cells, strict=True))
    except csv.Error as error:
        raise DataError(f"{path}, line {reader.line_num}: not CSV ({error}).") from None


def _row(cells: dict[str, str], place: str) -> dict[str, Any]:
    """A row of CSV: structured cells are parsed, and empty cells left out except an empty reply."""
    row: dict[str, Any] = {}
    for name, cell in cells.items():
        if name in STRUCTURED and cell.strip():
            try:
                row[name] = json.loads(cell)
            except ValueError as error:
                raise DataError(
                    f'{place}: "{name}" must hold JSON, as in [{{"type": "time", "filler": "one"}}] ({error})'
                ) from None
        elif name == "entities":
            row[name] = []
        elif cell or (name == "reply" and not cells.get("scenario")):
            row[name] = cell
    return row
