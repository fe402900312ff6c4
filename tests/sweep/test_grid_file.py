"""A grid in a TOML file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from slubench.errors import SlubenchError
from slubench.sweep.grid_file import read_grid, write_grid
from tests.command import slubench

VALUES = {
    "task": "massive-de, massive-*",
    "strategy": "text-only",
    "speech": "0 5 % 20min",
    "seeds": "0-4",
    "track": "lora-lm",
}


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "grid.toml"
    write_grid(path, VALUES)
    assert read_grid(path) == {
        "task": "massive-de,massive-*",
        "strategy": "text-only",
        "speech": "0,5%,20min",
        "seeds": "0-4",
        "track": "lora-lm",
    }


def test_numbers_and_lists_are_taken_as_they_are_meant(tmp_path: Path) -> None:
    path = tmp_path / "grid.toml"
    path.write_text('speech = [0, "5%", 230]\nseeds = [0, 1]\ntask = "massive-de"\n')
    assert read_grid(path) == {"speech": "0,5%,230", "seeds": "0,1", "task": "massive-de"}


def test_a_strategy_file_is_found_beside_the_grid_wherever_one_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paper = tmp_path / "paper"
    paper.mkdir()
    own = paper / "über idea.py"
    own.write_text("")
    monkeypatch.chdir(tmp_path)
    write_grid(paper / "grid.toml", {"strategy": f"text-only,{own}"})
    assert '"über idea.py"' in (paper / "grid.toml").read_text("utf-8")
    monkeypatch.chdir(paper)
    assert read_grid(Path("grid.toml"))["strategy"] == "text-only,über idea.py"
    monkeypatch.chdir(tmp_path)
    name = read_grid(Path("paper/grid.toml"))["strategy"].split(",")[1]
    assert os.path.samefile(name, own)


def test_an_existing_file_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "grid.toml"
    path.write_text("# mine")
    with pytest.raises(SlubenchError, match="the file exists"):
        write_grid(path, VALUES)
    assert path.read_text() == "# mine"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("task = [", "not valid TOML"),
        ("tasks = ['massive-de']", "Did you mean task"),
        ("task = 5", "expected text"),
        ("task = []", "task is empty"),
        ("task = ['']", "task is empty"),
        ("seeds = [true]", "expected text or whole numbers"),
        ("seeds = 1.5", "expected text or whole numbers"),
        ("speech = [5.0]", "expected text or whole numbers"),
        ("track = ['lora-lm']", "expected text"),
        ("[task]\nname = 1", "expected text"),
    ],
)
def test_a_wrong_grid_is_refused_with_its_file(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "grid.toml"
    path.write_text(text)
    with pytest.raises(SlubenchError, match=message) as refused:
        read_grid(path)
    assert "grid.toml" in str(refused.value)


def test_a_grid_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(SlubenchError, match="cannot be read"):
        read_grid(tmp_path / "none.toml")


def test_a_grid_is_written_and_planned_and_options_go_before_it(tmp_path: Path, home: Path) -> None:
    grid = tmp_path / "grid.toml"
    options = (
        "--task",
        "massive-d?",
        "--strategy",
        "zero-shot,text-only",
        "--seeds",
        "0-1",
        "--edition",
        "mini",
    )
    assert slubench("sweep", "--write", grid, *options).stdout == ""
    planned = slubench("plan", "--grid", grid, "--home", home, "--engine", "transformers").stdout
    assert "3 runs: 0 already scored, 3 to do" in planned
    planned = slubench(
        "plan", "--grid", grid, "--home", home, "--engine", "transformers", "--seeds", "0-2"
    ).stdout
    assert "4 runs" in planned
    refused = slubench("plan", "--grid", grid, "--home", home, "--track", "fulll", code=2)
    assert "Did you mean full" in refused.stderr


def test_a_sweep_needs_a_task_and_a_strategy_or_a_grid(home: Path) -> None:
    assert "Missing --strategy; or give a grid" in slubench("sweep", "--task", "slurp", code=2).stderr
