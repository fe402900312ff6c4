"""Sums and replicates of earlier scorers are read: by sentence alone."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq

from slubench.board.read.replicates import read_replicates
from slubench.board.read.scores import read_scores
from slubench.board.read.sums import SumsBeside
from slubench.metrics.measures import SLURP
from slubench.runtime.home import REPLICATES, SUMS, beside
from tests.board.known_truth import write_run


def test_files_without_speakers_are_read_as_sums_by_sentence(tmp_path: Path) -> None:
    path = write_run(tmp_path, "curriculum", 0.05, 0.7, 0)
    sources = read_scores([path]).sources
    (fingerprint,) = sources
    now = SumsBeside(sources).find(fingerprint, SLURP, "speech")["all"]
    for kind in (SUMS, REPLICATES):
        table = pq.read_table(beside(path, kind))
        old = [name for name in table.column_names if name not in ("speaker", "speakers", "effective")]
        pq.write_table(table.select(old), beside(path, kind))
    found = SumsBeside(sources).find(fingerprint, SLURP, "speech")["all"]
    assert found.names == now.names
    assert len(found.names) == 1
    assert (found.sums == now.sums).all()
    drawn = read_replicates([path]).find(fingerprint)
    assert drawn is not None
    assert (drawn.clusters, drawn.speakers, drawn.freedom) == (300, None, 300.0)
