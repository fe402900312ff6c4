"""Records are read where they are whole, and left out where they are not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from slubench.board.read.records import read_records
from tests.board.made_records import SOURCE, record, sample, write_records


def test_records_are_found_by_the_fingerprint_of_their_scores(tmp_path: Path) -> None:
    scores = tmp_path / "a.parquet"
    write_records(scores, record("a"), record("b", facts=[]))
    found = read_records([scores, tmp_path / "none.parquet"]).of(["b", "x", "a"])
    assert [row and row["scores_fingerprint"] for row in found] == ["b", None, "a"]
    assert found[0] is not None
    assert "strategy_source" not in found[0]


def test_the_strategys_file_is_that_of_the_first_run_that_brought_one(tmp_path: Path) -> None:
    scores = tmp_path / "a.parquet"
    write_records(scores, record("a", strategy_source=""), record("b"), record("c", strategy_sha256="other"))
    records = read_records([scores])
    file = records.strategy(["x", "a", "b", "c"])
    assert file is not None
    assert file.source == SOURCE
    assert records.strategy(["a"]) is None
    assert records.files(["a", "b", "c", "x"]) == 2


@pytest.mark.parametrize(
    "changes",
    [
        {"samples": [sample()] * 201},
        {"facts": [("a", "b")] * 501},
        {"strategy_source": "x" * 200_001},
        {"curve_losses": [1.0]},
        {"curve_losses": [float("nan")] * 4},
        {"strategy_file": None},
    ],
    ids=str,
)
def test_what_slubench_did_not_write_is_left_out(tmp_path: Path, changes: dict[str, Any]) -> None:
    scores, whole = tmp_path / "a.parquet", tmp_path / "b.parquet"
    write_records(scores, record("a", **changes))
    write_records(whole, record("b"))
    assert [row is None for row in read_records([scores, whole]).of(["a", "b"])] == [True, False]


def test_other_columns_and_broken_files_are_left_out(tmp_path: Path) -> None:
    first, second = tmp_path / "a.parquet", tmp_path / "b.parquet"
    path = write_records(first, record("a"))
    pq.write_table(pq.read_table(path).drop_columns(["facts"]), path)
    write_records(second, record("b")).write_bytes(b"PAR1")
    assert read_records([first, second]).of(["a", "b"]) == [None, None]
