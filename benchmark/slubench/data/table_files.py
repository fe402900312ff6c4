"""Tables that people have: JSON lines, a JSON array, CSV or TSV, and Parquet; plain or gzipped."""

from __future__ import annotations

import csv
import gzip
import io
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from slubench.data.mirror import shards_beside
from slubench.data.row_files import json_lines, open_parquet, parquet_rows
from slubench.errors import DataError

FORMATS: Final = "JSON lines (.jsonl), a JSON array (.json), CSV (.csv or .tsv, with a header) and Parquet"
PARQUET, LINES, ARRAY, CELLS = "parquet", "lines", "array", "cells"
STRUCTURED: Final = ("entities", "labels", "recordings", "tokens")
"""Columns whose cells hold JSON in CSV."""
_SEPARATORS: Final = (",", "\t", ";")


def numbered_rows(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """The rows of a file, each with its place, such as `line 3`.

    One of several shards stands for all of them, which lie beside it.

    Raises:
        DataError: The file is not there or not whole, a shard is missing beside it, it is of a format that is
            not read, or a row cannot be read.
    """
    if not path.is_file():
        raise DataError(f"There is no file {path}")
    shards = shards_beside(path)
    for shard in shards:
        for place, row in table_rows(shard):
            yield place if len(shards) == 1 else f"{shard.name}, {place}", row


def table_rows(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """The rows of a file without audio, each with its place, such as `line 3`.

    Raises:
        DataError: It is of another format or not whole, or a row cannot be read; the message names it.
    """
    form = format_of(path)
    if form == PARQUET:
        file = open_parquet(path)
        # Audio is no part of a prediction or of gold, and may be gigabytes.
        names = [name for name in file.schema_arrow.names if name != "audio"]
        for number, row in enumerate(parquet_rows(file, path, names), 1):
            yield f"row {number}", row
    elif form == ARRAY:
        yield from _array(path)
    elif form == CELLS:
        yield from _cells(path)
    else:
        for number, line in json_lines(path):
            if isinstance(line, DataError):
                raise DataError(f"{path}, line {number + 1}: {line}")
            yield f"line {number + 1}", line


def format_of(path: Path) -> str:
    """The format of a file, by its first bytes and its ending.

    Raises:
        DataError: It is none of those that are read, or cannot be read.
    """
    endings = [ending for ending in path.suffixes[-2:] if ending != ".gz"]
    ending = endings[-1].lower() if endings else ""
    begin = _opened(path, most=4096).lstrip(b"\xef\xbb\xbf \t\r\n")
    if ending == ".parquet" or begin.startswith(b"PAR1"):
        return PARQUET
    if begin.startswith(b"["):
        return ARRAY
    if begin.startswith(b"{"):
        return ARRAY if ending == ".json" and not _is_object(begin) else LINES
    if ending in (".csv", ".tsv"):
        return CELLS
    if ending in (".jsonl", ".ndjson", ".json"):
        return LINES
    raise DataError(f"{path} is of a format that is not read here. What is read: {FORMATS}.")


def _is_object(begin: bytes) -> bool:
    """Whether the first line is a whole object, as in JSON lines."""
    try:
        return isinstance(json.loads(begin.split(b"\n", 1)[0]), dict)
    except ValueError:
        return b"\n" not in begin  # longer than what was looked at


def _opened(path: Path, most: int = -1) -> bytes:
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            return file.read(most)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path} cannot be read completely ({error}).") from None


def _text(path: Path) -> str:
    try:
        return _opened(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not UTF-8 (byte {error.start}). Save it as UTF-8.") from None


def _array(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    try:
        content = json.loads(_text(path))
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path} is not complete JSON ({error}).") from None
    if isinstance(content, dict):
        lists = [name for name, value in content.items() if isinstance(value, list)]
        if len(lists) != 1:
            raise DataError(
                f"{path} is a JSON object with {len(lists) or 'no'} lists; expected an array of objects, or"
                " an object with one such array."
            )
        content = content[lists[0]]
    for number, row in enumerate(content, 1):
        if not isinstance(row, dict):
            raise DataError(f"{path}, item {number}: expected a JSON object, found a {type(row).__name__}")
        yield f"item {number}", row


def _cells(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    text = _text(path)
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
            place = f"line {reader.line_num}"
            yield place, _row(dict(zip(names, cells, strict=True)), f"{path}, {place}")
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
