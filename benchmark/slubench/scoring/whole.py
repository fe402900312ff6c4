"""Whether a score file, and what lies beside it, can be read; else it is made again."""

from __future__ import annotations

from pathlib import Path

from slubench.errors import DataError
from slubench.runtime.home import RECORDS, REPLICATES, SUMS, beside


def whole_scores(path: Path, fingerprint: str) -> bool:
    """Whether these are the scores of that fingerprint, with all that lies beside them.

    Raises:
        DataError: They were written by a newer version, and are not to be overwritten.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    from slubench import schemas

    try:
        table = pq.read_table(path)
        versions = set(table.column("schema_version").to_pylist())
        newer = [
            version for version in versions if isinstance(version, int) and version > schemas.SCHEMA_VERSION
        ]
        if newer:
            raise DataError(
                f"{path}: scores of a newer slubench (schema {max(newer)}, this one reads"
                f" {schemas.SCHEMA_VERSION}). Upgrade slubench, or move the file away."
            )
        if versions != {schemas.SCHEMA_VERSION}:
            return False
        if set(table.column("scores_fingerprint").to_pylist()) != {fingerprint}:
            return False
        table.select(schemas.SCORES.names).cast(schemas.SCORES, safe=False)
        columns = {SUMS: schemas.SUMS, REPLICATES: schemas.REPLICATES, RECORDS: schemas.RECORDS}
        for kind, schema in columns.items():
            pq.ParquetFile(beside(path, kind)).read().select(schema.names).cast(schema)
    except (pa.ArrowException, OSError, KeyError, TypeError):
        return False
    return True
