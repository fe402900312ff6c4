"""Score files: what is read, and what is refused with its reason."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from slubench.board.read.scores import read_file, read_scores, score_files
from slubench.errors import DataError
from slubench.schemas import SCORES
from tests.board.made_scores import score_rows, write_rows


def table() -> pa.Table:
    return pa.Table.from_pylist(score_rows(), schema=SCORES)


def refusal(path: Path, broken: pa.Table) -> str:
    pq.write_table(broken, path)
    with pytest.raises(DataError) as error:
        read_file(path)
    assert str(path) in str(error.value)
    return str(error.value)


def test_what_was_written_is_read_back(tmp_path: Path) -> None:
    rows = score_rows()
    read = read_file(write_rows(tmp_path / "a.parquet", rows))
    assert read.schema == SCORES
    assert read.to_pylist() == rows
    assert read.column("created")[0].as_py() == datetime(2026, 11, 1, tzinfo=UTC)


def test_a_ruleset_of_version_0_1_is_read_by_its_present_name(tmp_path: Path) -> None:
    rows = score_rows(ruleset="fixed+stratified+watch-clips")
    read = read_file(write_rows(tmp_path / "a.parquet", rows))
    assert set(read.column("ruleset").to_pylist()) == {"fixed+stratified+val-clips"}


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    assert "column 'engine' is missing" in refusal(tmp_path / "a.parquet", table().drop_columns(["engine"]))


def test_a_column_of_another_type_is_named(tmp_path: Path) -> None:
    at = SCORES.get_field_index("updates")
    other = table().set_column(at, "updates", pa.array(["250"] * table().num_rows))
    assert "column 'updates' holds string, expected int32" in refusal(tmp_path / "a.parquet", other)


def test_a_strange_column_is_named(tmp_path: Path) -> None:
    other = table().append_column("gold", pa.array(["secret"] * table().num_rows))
    assert "unexpected column 'gold'" in refusal(tmp_path / "a.parquet", other)


def test_another_version_is_named(tmp_path: Path) -> None:
    rows = score_rows(schema_version=99)
    assert "is of schema version 99, and this version of slubench reads up to 4. Update slubench" in refusal(
        tmp_path / "a.parquet", pa.Table.from_pylist(rows, schema=SCORES)
    )


def test_an_empty_place_that_must_be_filled_is_named_with_its_row(tmp_path: Path) -> None:
    rows = score_rows()
    rows[2]["task"] = None
    other = pa.Table.from_pylist(rows, schema=SCORES)
    assert "column 'task' is empty in row 3" in refusal(tmp_path / "a.parquet", other)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_number_that_is_none_is_named_with_its_row(tmp_path: Path, value: float) -> None:
    rows = score_rows()
    rows[1]["low"] = value
    other = pa.Table.from_pylist(rows, schema=SCORES)
    assert "column 'low' is not a finite number in row 2" in refusal(tmp_path / "a.parquet", other)


@pytest.mark.parametrize("content", [b"", b"PAR1 no Parquet at all PAR1"])
def test_what_is_no_parquet_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.parquet").write_bytes(content)
    with pytest.raises(DataError, match=r"a\.parquet: not a readable Parquet file"):
        read_file(tmp_path / "a.parquet")


def test_one_broken_file_does_not_hide_the_others(tmp_path: Path) -> None:
    good = write_rows(tmp_path / "good.parquet", score_rows())
    bad = tmp_path / "bad.parquet"
    bad.write_bytes(b"PAR1")
    reading = read_scores([bad, good, tmp_path / "gone.parquet"])
    assert reading.files == (good,)
    assert reading.table.num_rows == len(score_rows())
    assert ["bad" in str(reading.refused[0]), "gone" in str(reading.refused[1])] == [True, True]


def test_files_are_those_of_home_and_the_published_ones(tmp_path: Path) -> None:
    ours = write_rows(tmp_path / "leaderboard" / "scores" / "a.parquet", score_rows())
    write_rows(tmp_path / "leaderboard" / "scores" / "sums" / "a.parquet", score_rows())
    found = score_files(tmp_path)
    assert found[0] == ours
    assert {path.parent.name for path in found[1:]} <= {"published"}
