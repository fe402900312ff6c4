"""Reads the sums by sentence and speaker that lie beside score files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from slubench.errors import DataError
from slubench.metrics import COUNT_NAMES, ClusterSums, cluster_sums
from slubench.runtime import home
from slubench.schemas import ADDED, SUMS


class SumsBeside:
    """The sums of runs, read when they are asked for.

    Args:
        scores: The score file of each scores' fingerprint.
    """

    def __init__(self, scores: Mapping[str, Path]) -> None:
        self._scores = scores
        self._tables: dict[str, pa.Table] = {}

    def find(self, fingerprint: str, asked: str, by: str = "all") -> dict[str, ClusterSums]:
        """Sums on normalised text of each slice of a column, `all` for the whole.

        Raises:
            DataError: They are not there, or not as `slubench.schemas.SUMS` says.
        """
        table = self._table(fingerprint)
        kept = pc.and_(pc.equal(table.column("asked"), asked), pc.equal(table.column("slice_by"), by))
        table = table.filter(pc.and_(kept, table.column("normalised")))
        names = sorted(set(table.column("slice").to_pylist()))
        return {name: _sums(table.filter(pc.equal(table.column("slice"), name))) for name in names}

    def columns(self, fingerprint: str) -> list[str]:
        """The columns that a run is sliced by."""
        return sorted(set(self._table(fingerprint).column("slice_by").to_pylist()) - {"all"})

    def _table(self, fingerprint: str) -> pa.Table:
        if fingerprint not in self._tables:
            path = home.beside(self._scores[fingerprint], home.SUMS)
            try:
                table = completed(pq.ParquetFile(path).read(), SUMS)
            except (OSError, KeyError, pa.ArrowException) as error:
                raise DataError(
                    f"{path}: sums by sentence can't be read ({type(error).__name__}), and without them runs "
                    "can't be compared. Make the scores again: run the same `slubench run` once more."
                ) from error
            own = pc.equal(table.column("scores_fingerprint"), fingerprint)
            self._tables[fingerprint] = table.filter(own)
        return self._tables[fingerprint]


def completed(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """A table in a schema; columns that scorers before 3 did not write are empty.

    Raises:
        KeyError: It lacks another column.
        pa.ArrowException: A column is of another type.
    """
    for field in schema:
        if field.name in ADDED and field.name not in table.column_names:
            table = table.append_column(field, pa.nulls(len(table), field.type))
    return table.select(schema.names).cast(schema)


def scores_by_fingerprint(paths: Iterable[Path]) -> dict[str, Path]:
    """Which file holds the scores of a fingerprint."""
    found: dict[str, Path] = {}
    for path in paths:
        column = pq.read_table(path, columns=["scores_fingerprint"]).column(0)
        for fingerprint in pc.unique(column).to_pylist():
            found.setdefault(fingerprint, path)
    return found


def _sums(table: pa.Table) -> ClusterSums:
    counts = np.column_stack([table.column(name).to_numpy() for name in COUNT_NAMES])
    factors = [table.column("cluster").to_pylist()]
    if not table.column("speaker").null_count:
        factors.append(table.column("speaker").to_pylist())
    return cluster_sums(counts, *factors)
