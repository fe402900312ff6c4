"""What the page of a run is given, in files of which it loads one."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from slubench.board.panels import panels_of
from slubench.board.read.records import Records, read_records
from slubench.board.read.scores import read_scores
from slubench.board.runs import runs_of
from slubench.board.site.page import sections_of
from slubench.board.site.reproduce import advice, command
from slubench.board.site.run_page import A_FILE, digits_of, run_files
from tests.board.made_records import record, sample, write_records
from tests.board.made_scores import grid, score_rows, write_rows

HOSTILE = "</script><img src=x>\u2028\u202e"


def told(path: Path, records: Records | None = None) -> dict[str, dict[str, Any]]:
    runs = runs_of(read_scores([path]).table)
    found: dict[str, dict[str, Any]] = {}
    for _, text in run_files(runs, sections_of(panels_of(runs)), records or Records()):
        found |= parts_of(text)["runs"]
    return found


def parts_of(text: str) -> dict[str, dict[str, Any]]:
    """What a script file assigns, by the name it assigns to."""
    lines = text.splitlines()
    assert not set("<>&\u2028\u2029") & set(text)
    assigned = r"Object\.assign\(\(window\.slubench\.(\w+) \?\?= \{\}\), (.*)\);"
    parts = [re.fullmatch(assigned, line) for line in lines]
    return {part[1]: json.loads(part[2]) for part in parts if part is not None}


def test_a_run_is_told_with_all_that_identifies_it(tmp_path: Path) -> None:
    path = write_rows(tmp_path / "a.parquet", score_rows(train_seed=3))
    fingerprint = read_scores([path]).table.column("scores_fingerprint")[0].as_py()
    write_records(path, record(fingerprint))
    ((page, run),) = told(path, read_records([path])).items()
    assert fingerprint.startswith(page)
    assert run["title"].replace("\u202f", " ") == "curriculum, 5 % of the speech"
    assert ["Scores", fingerprint] in run["identity"]
    assert ["Train seed", "3"] in run["identity"]
    assert ["Clips bought", "100"] in run["ledger"]
    assert run["facts"] == [
        ["recipe.rate", "ledger.updates", "training.device"],
        ["0.005", "125, 125", "cpu"],
    ]
    assert run["curve"] == {"updates": [50, 125, 200, 250], "losses": [2.5, 0.8, 0.3, 0.1]}
    assert [one["right"] for one in run["samples"]] == [True, True, False]
    assert run["page"] == "strategies/curriculum.html"
    assert run["panel"].startswith("massive-de")
    assert "test of the software" in run["banner"]


def test_without_a_record_the_scores_are_told(tmp_path: Path) -> None:
    ((_, run),) = told(write_rows(tmp_path / "a.parquet", score_rows(edition="full"))).items()
    assert (run["curve"], run["samples"], run["facts"], run["banner"]) == (None, [], [[], []], "")
    assert len(run["measures"]) == 16


def test_runs_of_one_cell_know_one_another_and_older_ones_say_so(tmp_path: Path) -> None:
    rows = [*score_rows(train_seed=0), *score_rows(train_seed=1, data_seed=1)]
    older = score_rows(train_seed=1, data_seed=1, scores_fingerprint="0" * 16)
    for row in older:
        row["created"] = row["created"].replace(year=2020)
    found = told(write_rows(tmp_path / "a.parquet", [*rows, *older]))
    old = found.pop("0" * 12)
    assert old["peers"] == []
    assert "a newer run with the same seeds" in old["about"]
    peers = [["0", next(iter(p for p in found if found[p]["peers"]))]]
    assert all([label for label, _ in run["peers"]] == ["0", "1"] for run in found.values())
    assert peers[0][1] in {page for run in found.values() for _, page in run["peers"]}


def test_hostile_text_stays_text(tmp_path: Path) -> None:
    path = write_rows(tmp_path / "a.parquet", score_rows(strategy=HOSTILE, engine=HOSTILE))
    fingerprint = read_scores([path]).table.column("scores_fingerprint")[0].as_py()
    write_records(
        path, record(fingerprint, facts=[(HOSTILE, HOSTILE)], samples=[sample(reply=HOSTILE * 900)])
    )
    ((_, run),) = told(path, read_records([path])).items()
    assert "\u202e" not in json.dumps(run, ensure_ascii=False)
    assert len(run["samples"][0]["reply"]) == 2000
    assert run["page"].startswith("strategies/x-")


def test_many_runs_are_spread_over_files_by_their_first_digits(tmp_path: Path) -> None:
    assert [digits_of(number) for number in (1, A_FILE, A_FILE + 1, 16 * A_FILE + 1)] == [0, 0, 1, 2]
    rows = [row for run in grid(seeds=range(30)) for row in run]
    runs = runs_of(read_scores([write_rows(tmp_path / "a.parquet", rows)]).table)
    files = dict(run_files(runs, sections_of(panels_of(runs)), Records()))
    assert len(runs) > A_FILE
    assert set(files) == {run.page[0] for run in runs}


@pytest.mark.parametrize(
    ("changes", "file", "wanted"),
    [
        (
            {},
            "strategies/curriculum.py",
            {"--strategy": "curriculum", "--speech": "5%", "--engine": "transformers"},
        ),
        ({}, "mine.py", {"--strategy": "mine.py"}),
        ({"strategy": "x; rm -rf"}, "", {"--strategy": "x; rm -rf"}),
        ({"target": "text"}, "", {"--target": "text"}),
        ({"asr_fingerprint": "o"}, "", {"--inputs": "speech,text,asr"}),
        ({"serving": "merged", "engine": "vllm 0.32.0"}, "", {"--serving": "merged", "--engine": "vllm"}),
        ({"data_seed": 2, "train_seed": 4}, "", {"--data-seed": "2", "--train-seed": "4"}),
    ],
)
def test_the_command_holds_all_that_identifies_a_run(
    changes: dict[str, Any], file: str, wanted: dict[str, str]
) -> None:
    (row, *_) = score_rows(**changes)
    words = shlex.split(command(row, file))
    assert words[:2] == ["slubench", "run"]
    options = dict(zip(words[2::2], words[3::2], strict=True))
    assert options.items() >= wanted.items()
    assert {"--edition", "--task", "--model", "--track"} <= set(options)
    assert ("first" in advice(row, file)) == (file == "mine.py")


def test_the_command_is_one_that_slubench_takes(tmp_path: Path) -> None:
    from typer.main import get_command

    from slubench.cli.app import app

    (row, *_) = score_rows(target="text", asr_fingerprint="o", serving="live")
    group: Any = get_command(app)
    run = group.get_command(None, "run")
    known = {name for parameter in run.params for name in parameter.opts}
    assert {word for word in shlex.split(command(row)) if word.startswith("--")} <= known
