"""Reads the sums by sentence and speaker beside score files."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc

from slubench.board.read.open_parquet import open_table
from slubench.board.read.sources import ScoreSource
from slubench.domain.metric import Counting
from slubench.errors import DataError
from slubench.metrics import ClusterSums, cluster_sums
from slubench.runtime import home
from slubench.schemas import SUMS


class SumsBeside:
    """The sums of runs, read on first use.

    Args:
        sources: Where each run's scores are, see `slubench.board.read.scores.ScoreFiles`.
    """

    def __init__(self, sources: Mapping[str, ScoreSource]) -> None:
        self._sources = sources
        self._tables: dict[str, pa.Table] = {}

    def find(
        self, fingerprint: str, counting: Counting, input_kind: str, by: str = "all"
    ) -> dict[str, ClusterSums]:
        """Sums on normalised text of a column's slices (`all`: the whole test set); empty if not counted.

        Raises:
            DataError: They are not there, or not as `slubench.schemas.SUMS` says.
        """
        table = self._table(fingerprint)
        kept = pc.and_(pc.equal(table.column("input"), input_kind), pc.equal(table.column("slice_by"), by))
        own = pc.and_(
            pc.equal(table.column("counting"), counting.name),
            pc.equal(table.column("columns"), ",".join(counting.columns)),
        )
        table = table.filter(pc.and_(pc.and_(kept, own), table.column("normalised")))
        names = sorted(set(table.column("slice").to_pylist()))
        return {name: _sums(table.filter(pc.equal(table.column("slice"), name))) for name in names}

    def columns(self, fingerprint: str) -> list[str]:
        """The slice columns of a run."""
        return sorted(set(self._table(fingerprint).column("slice_by").to_pylist()) - {"all"})

    def _table(self, fingerprint: str) -> pa.Table:
        if fingerprint not in self._tables:
            source = self._sources[fingerprint]
            path = home.beside(source.path, home.SUMS)
            table = open_table(path, SUMS, _fault)
            if isinstance(table, str):
                raise DataError(
                    f"{path}: sums by sentence cannot be read ({table}), so the run cannot be compared. Run"
                    " `slubench rescore`."
                )
            own = pc.equal(table.column("scores_fingerprint"), source.fingerprint)
            self._tables[fingerprint] = table.filter(own)
        return self._tables[fingerprint]


def _fault(table: pa.Table) -> str | None:
    widths = pc.add(pc.count_substring(table.column("columns"), ","), 1)
    fits = pc.all(pc.equal(pc.list_value_length(table.column("counts")), widths), min_count=0).as_py()
    return None if fits else "the numbers of counts and of their names differ"


def _sums(table: pa.Table) -> ClusterSums:
    counts = table.column("counts").combine_chunks().flatten().to_numpy().reshape(len(table), -1)
    factors = [table.column("cluster").to_pylist()]
    if not table.column("speaker").null_count:
        factors.append(table.column("speaker").to_pylist())
    return cluster_sums(counts, *factors)
