"""Checks that a score file and the files beside it can be read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from slubench.runtime.home import RECORDS, REPLICATES, SUMS, beside

if TYPE_CHECKING:
    import pyarrow as pa


def whole_scores(path: Path, fingerprint: str) -> bool:
    """Whether a score file has that fingerprint and all files beside it are readable.

    Raises:
        DataError: They were written by a newer version, and are not to be overwritten.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    from slubench import schemas

    try:
        table = pq.read_table(path)
        if set(table.column("scores_fingerprint").to_pylist()) != {fingerprint}:
            return False
        versions = table.column("schema_version").to_pylist()
        if any(isinstance(one, int) and one > schemas.SCHEMA_VERSION for one in versions):
            schemas.check_version(table, path)
        _read_as(table, schemas.SCORES)
        for kind, schema in (
            (SUMS, schemas.SUMS),
            (REPLICATES, schemas.REPLICATES),
            (RECORDS, schemas.RECORDS),
        ):
            _read_as(pq.ParquetFile(beside(path, kind)).read(), schema)
    except (pa.ArrowException, OSError, KeyError, TypeError):
        return False
    return True


def _read_as(table: pa.Table, schema: pa.Schema) -> None:
    from slubench import schemas

    schemas.carried_over(table, schema).select(schema.names).cast(schema, safe=False)
