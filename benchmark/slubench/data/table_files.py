"""Tables that people have: JSON lines, a JSON array, CSV or TSV, and Parquet; plain or gzipped."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from slubench.data.csv_files import csv_rows, opened, text_of
from slubench.data.mirror import shards_beside
from slubench.data.row_files import json_lines, open_parquet, parquet_rows
from slubench.errors import DataError

FORMATS: Final = "JSON lines (.jsonl), a JSON array (.json), CSV (.csv or .tsv, with a header) and Parquet"
PARQUET, LINES, ARRAY, CELLS = "parquet", "lines", "array", "cells"


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
        yield from csv_rows(path)
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
    begin = opened(path, most=4096).lstrip(b"\xef\xbb\xbf \t\r\n")
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


def _array(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    try:
        content = json.loads(text_of(path))
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
