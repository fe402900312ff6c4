"""What the page keeps of score files, and what it costs to hold."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq

from slubench.board import build, read_scores
from slubench.board.panels import panels_of
from slubench.board.read.public import public_rows
from slubench.board.runs import runs_of
from tests.board.made_scores import grid, score_rows, write_rows

SLICES = (("all", "all"), *(("intent", f"intent {number}") for number in range(40)), ("length", "short"))


def real_sized(folder: Path) -> list[Path]:
    """A file a run, as `slubench run` writes them."""
    runs = grid(seeds=(0, 1), budgets=(0.0, 0.05, 1.0), slices=SLICES)
    return [write_rows(folder / f"{number}.parquet", rows) for number, rows in enumerate(runs)]


def test_the_page_is_the_same_from_the_rows_that_it_shows(tmp_path: Path) -> None:
    paths = real_sized(tmp_path)
    whole, kept = read_scores(paths), read_scores(paths, shown=True)
    assert kept.table.num_rows * 3 < whole.table.num_rows
    assert kept.files == whole.files
    assert panels_of(runs_of(public_rows(kept.table))) == panels_of(runs_of(public_rows(whole.table)))
    assert kept.table.nbytes * 20 < whole.table.nbytes


def test_the_same_run_in_two_files_counts_once_by_its_tier(tmp_path: Path) -> None:
    own = write_rows(tmp_path / "own.parquet", score_rows(slices=SLICES))
    proven = write_rows(tmp_path / "proven.parquet", score_rows(slices=SLICES, tier="retrained"))
    other = write_rows(tmp_path / "other.parquet", score_rows(slices=SLICES, tier="claimed", value=0.9))
    reading = read_scores([own, proven, other], shown=True)
    assert [run.row["tier"] for run in runs_of(reading.table)] == ["retrained"]
    assert "other.parquet: other scores (claimed)" in str(reading.refused[0])


def test_two_runs_under_one_fingerprint_are_told_apart(tmp_path: Path) -> None:
    first = write_rows(tmp_path / "a.parquet", score_rows())
    other = [row | {"strategy": "another"} for row in score_rows()]
    second = write_rows(tmp_path / "b.parquet", other)
    reading = read_scores([first, second], shown=True)
    assert sorted(run.row["strategy"] for run in runs_of(reading.table)) == ["another", "curriculum"]
    assert len(set(reading.sources)) == 2


def test_a_broken_number_that_the_page_shows_is_refused(tmp_path: Path) -> None:
    good = write_rows(tmp_path / "good.parquet", score_rows(data_seed=1))
    bad = write_rows(tmp_path / "bad.parquet", score_rows(value=float("nan")))
    reading = read_scores([good, bad], shown=True)
    assert reading.files == (good,)
    assert "column 'value' is not a finite number in row 1" in str(reading.refused[0])


def test_the_parquet_of_the_page_holds_what_it_shows_in_the_columns_of_score_files(tmp_path: Path) -> None:
    paths = real_sized(tmp_path)
    site = build(paths, tmp_path / "site").page.parent
    table = pq.read_table(site / "scores.parquet")
    assert table.schema.names == pq.read_schema(paths[0]).names
    assert set(table.column("slice_by").to_pylist()) == {"all", "intent", "length"}
    assert {str(field.type) for field in table.schema if field.name in ("task", "strategy")} == {"string"}
