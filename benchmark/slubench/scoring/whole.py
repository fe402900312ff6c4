"""Checks that a score file and the files beside it can be read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from slubench.runtime.home import RECORDS, REPLICATES, SUMS, beside

if TYPE_CHECKING:
    import pyarrow as pa


def whole_scores(path: Path, fingerprint: str) -> bool:
    """Whether a score file has that fingerprint and all files beside it are readable."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from slubench import schemas

    try:
        table = pq.read_table(path)
        if set(table.column("scores_fingerprint").to_pylist()) != {fingerprint}:
            return False
        as_of_today(table, schemas.SCORES)
        for kind, schema in schemas_beside().items():
            as_of_today(pq.ParquetFile(beside(path, kind)).read(), schema)
    except (pa.ArrowException, OSError, KeyError, TypeError):
        return False
    return True


def schemas_beside() -> dict[str, pa.Schema]:
    """The schema of each kind of file beside a score file."""
    from slubench import schemas

    return {SUMS: schemas.SUMS, REPLICATES: schemas.REPLICATES, RECORDS: schemas.RECORDS}


def as_of_today(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """A table of this or an earlier version with exactly the columns and types of a schema."""
    from slubench import schemas

    table = schemas.carried_over(table, schema).select(schema.names)
    return table.cast(schema, safe=schema is not schemas.SCORES)
