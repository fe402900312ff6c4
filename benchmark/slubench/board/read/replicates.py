"""Reads the replicates beside score files; a run without them is left out of comparisons."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from slubench.board.read.open_parquet import open_all, open_table
from slubench.board.read.sources import ScoreSource, of_sources
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
        """What two runs must share for their replicates to be subtracted."""
        return self.clusters, self.speakers, len(self.replicates)

    @property
    def freedom(self) -> float:
        """The number of clusters that intervals are based on."""
        return float(self.clusters) if self.effective is None else self.effective


class Replicates:
    """Replicates by scores fingerprint, input and metric."""

    def __init__(self, tables: Iterable[pa.Table] = ()) -> None:
        self._drawn: dict[tuple[str, str, str], MeasureReplicates] = {}
        for table in tables:
            keys = (table.column(name).to_pylist() for name in ("scores_fingerprint", "input", "metric"))
            names = ("value", "clusters", "speakers", "effective")
            known = list(zip(*(table.column(name).to_pylist() for name in names), strict=True))
            lists = table.column("replicates").combine_chunks()
            flat = lists.values.to_numpy(zero_copy_only=False)
            ends = lists.offsets.to_numpy()
            for place, key in enumerate(zip(*keys, strict=True)):
                drawn = flat[ends[place] : ends[place + 1]]
                value, *counts = known[place]
                self._drawn.setdefault(key, MeasureReplicates(value, drawn, *counts))

    @property
    def metrics(self) -> list[str]:
        """Names of the metrics that any run has replicates for."""
        return list(dict.fromkeys(metric for _, _, metric in self._drawn))

    def find(
        self, fingerprint: str, metric: str = "slu_f1", input_kind: str = "speech"
    ) -> MeasureReplicates | None:
        """The replicates of a run's measure on normalised text, None if there are none."""
        return self._drawn.get((fingerprint, input_kind, metric))


def read_replicates(scores: Sequence[Path], sources: Mapping[str, ScoreSource] | None = None) -> Replicates:
    """Read the replicates beside score files; those unlike `slubench.schemas.REPLICATES` are left out.

    Args:
        scores: The score files.
        sources: Which of them holds each run, see `slubench.board.read.scores.ScoreFiles`; only what lies
            beside that one counts. None where no run is in two of them.
    """
    paths = [home.beside(path, home.REPLICATES) for path in scores]
    return Replicates(of_sources(zip(scores, open_all(paths, _opened), strict=True), sources))


def _opened(path: Path) -> pa.Table | str:
    return open_table(path, REPLICATES, _fault)


def _fault(table: pa.Table) -> str | None:
    whole = not any(table.column(name).null_count for name in REPLICATES.names if name not in ADDED)
    lengths = pc.unique(pc.list_value_length(table.column("replicates"))).to_pylist()
    values = pc.list_flatten(table.column("replicates"))
    finite = pc.all(pc.is_finite(values), min_count=0).as_py() and not values.null_count
    fits = whole and finite and len(lengths) == 1 and lengths[0] > 1
    return None if fits else "its lists differ in length, or hold something other than finite numbers"
