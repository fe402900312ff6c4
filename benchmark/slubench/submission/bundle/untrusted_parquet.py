"""Reads untrusted Parquet within limits: the footer first, then one row group at a time."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from slubench.errors import shown
from slubench.schemas import UNTOLD, carried_over, schema_before
from slubench.submission.bundle.layout import MEBI, kind_of
from slubench.submission.problems import Problem, Refusal

MOST_BYTES: Final = 256 * MEBI
"""Of a file's rows in memory."""
MOST_MEMORY: Final = 768 * MEBI
"""That reading a file may take beside what the process has: a page may lie of its size.

Less than the gibibyte that Arrow's own allocator reserves at once where it may: it then takes what it needs.
"""
BATCH: Final = 4_096
_THRIFT: Final = 4 * MEBI
_EARLIEST: Final = int(datetime(1900, 1, 1, tzinfo=UTC).timestamp())
_LATEST: Final = int(datetime(9999, 1, 1, tzinfo=UTC).timestamp())
# What pyarrow raises over a stranger's bytes: errors of its own, Python's for I/O and for the bounded memory,
# and plain ones where a footer's numbers or texts do not fit Python's types.
_UNREADABLE: Final = (pa.ArrowException, OSError, MemoryError, ValueError, OverflowError)


def read_table(content: bytes, schema: pa.Schema, path: str) -> pa.Table:
    """The rows of a Parquet file with exactly the columns of `schema`, or their names in version 2.

    Args:
        content: The whole file.
        schema: Names and types of its columns, in order.
        path: Its path, which tells how many rows it may have.

    Raises:
        Refusal: It is no Parquet, has other columns, or is larger in memory than it may be.
    """
    kind = kind_of(path)
    most_rows = kind.rows if kind else 0
    try:
        with _bounded_memory(MOST_MEMORY):
            file = _opened(content)
            before = schema_before(schema)
            names = file.schema_arrow.names
            later = [field for field in schema if field.name in names or field.name not in UNTOLD]
            written = before if names == before.names else pa.schema(later)
            _check_footer(file, written, most_rows, path)
            table = carried_over(_rows(_opened(content, _texts(written)), written, path), schema)
            # Texts that are not UTF-8 are met here and not where they are used.
            table.validate(full=True)
            _check_values(table, path)
            return table.select(schema.names)
    except _UNREADABLE as error:
        reason = "exceeds the memory limit" if isinstance(error, MemoryError) else str(error)
        message = f"it cannot be read as Parquet ({shown(reason.splitlines()[0] if reason else '', 160)})"
        raise Refusal(Problem(path, message)) from None


def _opened(content: bytes, dictionaries: list[str] | None = None) -> pq.ParquetFile:
    return pq.ParquetFile(
        pa.BufferReader(content),
        read_dictionary=dictionaries,
        thrift_string_size_limit=_THRIFT,
        thrift_container_size_limit=100_000,
        pre_buffer=False,
    )


def _check_footer(file: pq.ParquetFile, schema: pa.Schema, most_rows: int, path: str) -> None:
    found = file.schema_arrow
    for index, expected in enumerate(schema):
        if index >= len(found.names) or found.field(index).name != expected.name:
            name = found.field(index).name if index < len(found.names) else "none"
            message = f"column {index + 1} is {shown(name)}, expected {expected.name!r}"
            raise Refusal(Problem(path, f"{message}; the columns must be: {', '.join(schema.names)}"))
        if not _alike(found.field(index).type, expected.type):
            held = shown(str(found.field(index).type))
            raise Refusal(Problem(path, f"column {expected.name!r} holds {held}, expected {expected.type}"))
    if len(found.names) > len(schema):
        strange = shown(found.names[len(schema)])
        message = f"column {strange} is unexpected; the columns must be: {', '.join(schema.names)}"
        raise Refusal(Problem(path, message))
    footer = file.metadata
    if footer.num_rows > most_rows:
        message = f"its footer declares {footer.num_rows:,} rows; the maximum is {most_rows:,}"
        raise Refusal(Problem(path, message))
    groups = [footer.row_group(number) for number in range(footer.num_row_groups)]
    columns = (group.column(number) for group in groups for number in range(group.num_columns))
    size = max(sum(g.total_byte_size for g in groups), sum(c.total_uncompressed_size for c in columns))
    if size > MOST_BYTES:
        message = f"its footer declares {size:,} bytes uncompressed; the maximum is {MOST_BYTES:,}"
        raise Refusal(Problem(path, message))


def _rows(file: pq.ParquetFile, schema: pa.Schema, path: str) -> pa.Table:
    """All rows; a text that stands in many is counted as often before it is written out."""
    batches, size, count = [], 0, 0
    for group in range(file.num_row_groups):
        for batch in file.iter_batches(batch_size=BATCH, row_groups=[group], use_threads=False):
            size += sum(_written_out(column) for column in batch.columns)
            count += len(batch)
            if size > MOST_BYTES or count > file.metadata.num_rows:
                message = f"it contains more than its footer declares, or more than {MOST_BYTES:,} bytes"
                raise Refusal(Problem(path, f"{message} while reading"))
            columns = [column.cast(field.type) for column, field in zip(batch.columns, schema, strict=True)]
            batches.append(pa.RecordBatch.from_arrays(columns, schema=schema))
    if count != file.metadata.num_rows:
        raise Refusal(
            Problem(path, f"its footer declares {file.metadata.num_rows:,} rows, but it has {count:,}")
        )
    return pa.Table.from_batches(batches, schema=schema)


def _check_values(table: pa.Table, path: str) -> None:
    """See that numbers are numbers, and times those of a calendar."""
    for field in table.schema:
        column = table.column(field.name)
        if pa.types.is_floating(field.type) and pc.any(pc.invert(pc.is_finite(column))).as_py():
            raise Refusal(Problem(path, f"column {field.name!r} holds a number that is not finite"))
        if pa.types.is_timestamp(field.type):
            # Python's calendar ends with the year 9999; what lies outside can't even be told.
            first, last = pc.min_max(column.cast(pa.int64())).as_py().values()
            if first is not None and not (first >= _EARLIEST and last <= _LATEST):
                raise Refusal(Problem(path, f"column {field.name!r} holds a time outside of the calendar"))


def _written_out(column: pa.Array) -> int:
    """Bytes of a column without a dictionary."""
    if not pa.types.is_dictionary(column.type):
        return int(column.nbytes)
    lengths = pc.binary_length(column.dictionary).cast(pa.int64())
    return int(pc.sum(pc.take(lengths, column.indices)).as_py() or 0) + 8 * len(column)


def _texts(schema: pa.Schema) -> list[str]:
    return [field.name for field in schema if pa.types.is_string(field.type)]


def _alike(found: pa.DataType, expected: pa.DataType) -> bool:
    if pa.types.is_timestamp(found) and pa.types.is_timestamp(expected):
        return bool(found.tz == expected.tz)
    return bool(found.equals(expected))


@contextmanager
def _bounded_memory(more: int) -> Iterator[None]:
    """Limit the additional memory of this process within the block."""
    before: tuple[int, int] = resource.getrlimit(resource.RLIMIT_AS)
    limit = _taken() + more
    if before[0] != resource.RLIM_INFINITY:
        limit = min(limit, before[0])
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (limit, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def _taken() -> int:
    """Bytes of address space that the process has."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[0]) * resource.getpagesize()
    except OSError:
        # Where there is no /proc the bound is loose, not absent.
        usage: Any = resource.getrusage(resource.RUSAGE_SELF)
        return int(usage.ru_maxrss) * 1024 + 64 * 1024 * MEBI
