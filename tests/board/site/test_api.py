"""JSON and CSV beside the page, and what `slubench leaderboard show --json` prints."""

from __future__ import annotations

import csv
import json
import shlex
from io import StringIO
from pathlib import Path
from typing import Any

from slubench.board import build
from tests.board.made_records import record, write_records
from tests.board.made_scores import grid, score_rows, write_rows
from tests.command import slubench


def made(folder: Path, *more: list[dict[str, Any]]) -> Path:
    runs = [*grid(("massive-de",)), *grid(("massive-fr",), seeds=(0,)), *more]
    return write_rows(folder / "leaderboard/scores/a.parquet", [row for run in runs for row in run])


def test_every_table_is_one_json_file_and_one_csv_file_each(tmp_path: Path) -> None:
    site = build([made(tmp_path)], tmp_path / "site").page.parent
    index = json.loads((site / "api/index.json").read_text("utf-8"))
    assert [one["task"] for one in index["tables"]] == ["massive-de", "massive-fr"]
    assert index["tables"][0]["headline"].startswith("5 min of German speech:")
    assert not index["tables"][0]["evidence"]
    named = {"index.json"}
    for one in index["tables"]:
        named |= {one["json"], *one["csv"]}
        table = json.loads((site / "api" / one["json"]).read_text("utf-8"))
        assert len(table["rows"]) == one["rows"] == 17
        assert any(name.endswith("-results.csv") for name in one["csv"])
        for name in one["csv"]:
            head, *rows = csv.reader(StringIO((site / "api" / name).read_text("utf-8")))
            assert len(set(head)) == len(head)
            assert {len(row) for row in rows} == {len(head)}
    assert {path.name for path in (site / "api").iterdir()} == named


def test_a_row_tells_numbers_seeds_and_the_command_for_all_of_them(tmp_path: Path) -> None:
    site = build([made(tmp_path)], tmp_path / "site").page.parent
    table = json.loads(next((site / "api").glob("massive-de-*.json")).read_text("utf-8"))
    (row,) = [one for one in table["rows"] if (one["strategy"], one["speech"]) == ("curriculum", "5%")]
    assert row["seeds"] == [[0, 0], [1, 1], [2, 2]]
    (main,) = [
        one
        for one in row["measures"]
        if (one["metric"], one["input"], one["normalised"]) == ("slu_f1", "speech", True)
    ]
    assert 0 < main["low"] < main["value"] < main["high"] < 1
    words = shlex.split(row["command"])
    assert words[:2] == ["slubench", "sweep"]
    assert words[words.index("--seeds") + 1] == "0,1,2"


def test_csv_has_plain_signs_and_no_formula(tmp_path: Path) -> None:
    site = build([made(tmp_path, score_rows(strategy="=1+1"))], tmp_path / "site").page.parent
    texts = [path.read_text("utf-8") for path in (site / "api").glob("*.csv")]
    assert not any(set("\u2212\u202f\u2060") & set(text) for text in texts)
    assert any("'=1+1" in text for text in texts)
    assert any(",-" in text for text in texts)


def test_a_former_table_is_gone_after_the_next_build(tmp_path: Path) -> None:
    site = build([made(tmp_path)], tmp_path / "site").page.parent
    scores = write_rows(tmp_path / "b.parquet", score_rows(task="massive-it"))
    build([scores], site)
    assert {path.name.partition("-1-")[0] for path in (site / "api").iterdir()} == {
        "index.json",
        "massive-it",
    }
    build([], site)
    assert not (site / "api").exists()


def test_costs_of_the_records_are_told(tmp_path: Path) -> None:
    scores = made(tmp_path)
    fingerprint = score_rows(share=1.0, strategy="direct-mix")[0]["scores_fingerprint"]
    facts = [("training.peak_memory_bytes", "2147483648"), ("training.trainable_parameters", "nonsense")]
    write_records(scores, record(fingerprint, facts=facts, strategy_file="mine.py"))
    site = build([scores], tmp_path / "site").page.parent
    table = json.loads(next((site / "api").glob("massive-de-*.json")).read_text("utf-8"))
    (row,) = [one for one in table["rows"] if (one["strategy"], one["speech"]) == ("direct-mix", "100%")]
    assert row["counts"]["peak_memory_bytes"] == 2147483648
    assert "trainable_parameters" not in row["counts"]
    assert "--strategy mine.py" in row["command"]
    assert "2.0\u202fGiB" in (site / "index.html").read_text("utf-8")


def test_show_prints_the_same_as_json(tmp_path: Path) -> None:
    made(tmp_path)
    told = json.loads(slubench("leaderboard", "show", "--json", "--home", tmp_path).stdout)
    site = build([tmp_path / "leaderboard/scores/a.parquet"], tmp_path / "site").page.parent
    revision = score_rows()[0]["corpus_revision"]
    (german,) = [
        one for one in told["tables"] if (one["task"], one["corpus_revision"]) == ("massive-de", revision)
    ]
    table = json.loads(next((site / "api").glob("massive-de-*.json")).read_text("utf-8"))
    assert table.pop("format") == told["format"]
    # Published rows of the same names are on that board too, so that labels tell them apart.
    for ours, theirs in zip(german["rows"], table["rows"], strict=True):
        assert all(ours[name] == theirs[name] for name in ("speech", "ranks", "seeds", "counts", "runs"))
        assert {str(one) for one in ours["measures"]} <= {str(one) for one in theirs["measures"]}
    assert german.keys() == table.keys()


def test_show_of_nothing_is_json_too(tmp_path: Path) -> None:
    told = slubench("leaderboard", "show", "--json", "--task", "massive-de", "--home", tmp_path)
    assert json.loads(told.stdout)["tables"]
