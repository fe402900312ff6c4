"""What is published of sums names no speaker, and no slice over fewer than five."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from slubench.metrics import Count, cluster_sums, shipped
from slubench.metrics.measures import SLURP
from slubench.runtime.home import SUMS, Home, beside
from slubench.scoring.sidecars import SliceSums, write_parts
from slubench.submission.publish.one_act import publishing
from slubench.submission.publish.publish import copy_scores
from tests.board.made_scores import score_rows, write_rows


@pytest.mark.parametrize("edition", ["full", "mini"])
def test_sums_of_the_full_edition_are_published_by_sentence_alone(tmp_path: Path, edition: str) -> None:
    rows = score_rows(edition=edition, slices=[("all", "all"), ("speaker_sex", "f"), ("speaker_sex", "m")])
    for row in rows:
        row["speakers"] = {"all": 9, "f": 4, "m": 5}[row["slice"]]
    counts = np.ones((6, len(Count)))
    factors = ["a", "a", "b", "b", "c", "c"], ["x", "y", "x", "y", "x", "x"]
    parts = [
        SliceSums("speech", by, name, True, SLURP, cluster_sums(counts, *factors))
        for by, name in (("all", "all"), ("speaker_sex", "f"), ("speaker_sex", "m"))
    ]
    source = write_rows(tmp_path / "own" / "one.parquet", rows)
    write_parts(source.parent, source.name, rows[0]["scores_fingerprint"], parts, shipped().values())
    checkout = Home(tmp_path / "checkout")
    target = checkout.root / "leaderboard" / "published" / "one.parquet"
    with publishing(checkout, print) as publication:
        copy_scores(source, target, publication)
    assert {row["slice"] for row in pq.read_table(target).to_pylist()} == {"all", "m"}
    sums = pq.read_table(beside(target, SUMS))
    assert sums.schema.names == pq.read_table(beside(source, SUMS)).schema.names
    whole = [row for row in sums.to_pylist() if row["slice_by"] == "all"]
    if edition == "full":
        assert {row["slice"] for row in sums.to_pylist()} == {"all"}
        assert [(row["cluster"], row["speaker"], row["counts"][0]) for row in whole] == [
            ("a", None, 2.0), ("b", None, 2.0), ("c", None, 2.0),
        ]  # fmt: skip
    else:
        assert {row["slice"] for row in sums.to_pylist()} == {"all", "m"}
        assert {row["speaker"] for row in whole} == {"x", "y"}
