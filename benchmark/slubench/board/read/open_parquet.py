"""Opens one Parquet file of the leaderboard: reads it, renames old columns, casts and checks it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from slubench.errors import DataError
from slubench.schemas import carried_over, check_version

LARGEST = 1 << 30
"""Maximum uncompressed bytes of a file; slubench writes no larger ones."""


def open_table(
    path: Path,
    schema: pa.Schema,
    fault: Callable[[pa.Table], str | None] = lambda table: None,
    *,
    strict: bool = False,
    largest: int = LARGEST,
) -> pa.Table | str:
    """Read a file into a schema, with current column names, or say why it does not fit.

    Args:
        path: The file.
        schema: One of `slubench.schemas`.
        fault: Says what is wrong with the values of a table that has the right columns.
        strict: Whether other columns than those of the schema, and columns of other types, are refused; else
            they are left out, and types are cast.
        largest: Bytes that it may have, unpacked.
    """
    try:
        file = pq.ParquetFile(path, memory_map=True, pre_buffer=False)
        groups = (file.metadata.row_group(place) for place in range(file.num_row_groups))
        size = sum(group.total_byte_size for group in groups)
        if size > largest:
            return f"the file has {size:,} bytes; the maximum is {largest:,}"
        table = file.read(use_threads=False)
        check_version(table, "it")
        table = carried_over(table, schema)
        if (why := column_fault(table.schema, schema, strict=strict)) is not None:
            return why
        table = table.select(schema.names)
        if not strict:
            table = table.cast(schema)
    except DataError as error:
        return str(error)
    except (OSError, pa.ArrowException, KeyError, ValueError) as error:
        return f"not a readable Parquet file ({first_line(error)})"
    return fault(table) or table


def open_all(paths: Sequence[Path], opened: Callable[[Path], pa.Table | str]) -> Iterator[pa.Table | str]:
    """Opens files in parallel, in order."""
    with ThreadPoolExecutor(max_workers=min(4, os.cpu_count() or 1)) as pool:
        yield from pool.map(opened, paths)


def column_fault(found: pa.Schema, schema: pa.Schema, *, strict: bool) -> str | None:
    """The first problem with the columns of a file."""
    for expected in schema:
        index = found.get_field_index(expected.name)
        if index < 0:
            return f"column {expected.name!r} is missing"
        kind = found.field(index).type
        if strict and not _same(kind, expected.type):
            return f"column {expected.name!r} holds {kind}, expected {expected.type}"
    strange = [name for name in found.names if name not in schema.names] if strict else []
    return f"unexpected column {strange[0][:80]!r}" if strange else None


def first_line(error: BaseException) -> str:
    """The first line of an error, shortened."""
    return (str(error).splitlines() or [type(error).__name__])[0][:200]


def _same(found: pa.DataType, expected: pa.DataType) -> bool:
    # Parquet keeps no whole seconds: they come back as milliseconds.
    if pa.types.is_timestamp(found) and pa.types.is_timestamp(expected):
        return bool(found.tz == expected.tz)
    return bool(found == expected)
