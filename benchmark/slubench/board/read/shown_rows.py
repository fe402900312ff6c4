"""The score rows that the page shows, held small: whole tests, and SLU-F1 on speech of the slices.

A run's identity stands on each of its rows. Ten thousand real runs would fill many gigabytes if every row
held it in full, so columns of text are dictionaries here.
"""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from slubench.schemas import SCORES

COMPACT = pa.schema(
    [
        pa.field(one.name, pa.dictionary(pa.int32(), pa.string())) if pa.types.is_string(one.type) else one
        for one in SCORES
    ]
)


def shown_rows(table: pa.Table) -> pa.Table:
    """The rows of a score file that a page shows."""
    whole = pc.equal(table.column("slice_by"), "all")
    sliced = pc.and_(pc.equal(table.column("metric"), "slu_f1"), pc.equal(table.column("input"), "speech"))
    return table.filter(pc.or_(whole, pc.and_(sliced, table.column("normalised"))))


def compact(table: pa.Table) -> pa.Table:
    """Rows in `SCORES` with their texts as dictionaries."""
    columns = [
        column.combine_chunks().dictionary_encode() if pa.types.is_string(column.type) else column
        for column in table.columns
    ]
    return pa.table(columns, schema=COMPACT)


def together_compact(tables: Sequence[pa.Table]) -> pa.Table:
    """Compact tables as one."""
    return pa.concat_tables(tables).unify_dictionaries().combine_chunks()


def texts(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """A column without its dictionary, where it has one."""
    return column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column
