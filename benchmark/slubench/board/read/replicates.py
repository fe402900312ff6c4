"""Reads the replicates that lie beside score files; a run without them has no part in comparisons."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from slubench.board.read.sums import completed
from slubench.runtime import home
from slubench.schemas import ADDED, REPLICATES


class MeasureReplicates(NamedTuple):
    """A measure of one run.

    Attributes:
        value: The measure.
        replicates: Shape (replicates,).
        clusters: Sentences.
        speakers: None where only sentences were sampled.
        effective: How many clusters the measure rests on, of speakers where these are fewer.
    """

    value: float
    replicates: NDArray[np.float32]
    clusters: int
    speakers: int | None = None
    effective: float | None = None

    @property
    def alike(self) -> tuple[int, int | None, int]:
        """What two runs share whose replicates may be subtracted."""
        return self.clusters, self.speakers, len(self.replicates)

    @property
    def freedom(self) -> float:
        """The number of clusters that intervals go by."""
        return float(self.clusters) if self.effective is None else self.effective


class Replicates:
    """Replicates by scores' fingerprint, how the model was asked, and metric."""

    def __init__(self, tables: Iterable[pa.Table] = ()) -> None:
        self._drawn: dict[tuple[str, str, str], MeasureReplicates] = {}
        for table in tables:
            keys = (table.column(name).to_pylist() for name in ("scores_fingerprint", "asked", "metric"))
            names = ("value", "clusters", "speakers", "effective")
            known = list(zip(*(table.column(name).to_pylist() for name in names), strict=True))
            lists = table.column("replicates").combine_chunks()
            flat = lists.values.to_numpy(zero_copy_only=False)
            ends = lists.offsets.to_numpy()
            for place, key in enumerate(zip(*keys, strict=True)):
                drawn = flat[ends[place] : ends[place + 1]]
                value, *counts = known[place]
                self._drawn.setdefault(key, MeasureReplicates(value, drawn, *counts))

    def find(
        self, fingerprint: str, metric: str = "slu_f1", asked: str = "speech"
    ) -> MeasureReplicates | None:
        """The replicates of a run's measure on normalised text, None where there are none."""
        return self._drawn.get((fingerprint, asked, metric))


def read_replicates(scores: Sequence[Path]) -> Replicates:
    """Read what lies beside score files; what is not as `slubench.schemas.REPLICATES` says is left out."""
    with ThreadPoolExecutor(max_workers=min(4, os.cpu_count() or 1)) as pool:
        tables = pool.map(_opened, (home.beside(path, home.REPLICATES) for path in scores))
        return Replicates(table for table in tables if table is not None)


def _opened(path: Path) -> pa.Table | None:
    try:
        table = pq.ParquetFile(path, pre_buffer=False).read(use_threads=False)
        table = completed(table, REPLICATES)
    except (OSError, KeyError, pa.ArrowException):
        return None
    whole = not any(table.column(name).null_count for name in REPLICATES.names if name not in ADDED)
    lengths = pc.unique(pc.list_value_length(table.column("replicates"))).to_pylist()
    values = pc.list_flatten(table.column("replicates"))
    finite = pc.all(pc.is_finite(values), min_count=0).as_py() and not values.null_count
    return table if whole and finite and len(lengths) == 1 and lengths[0] > 1 else None
