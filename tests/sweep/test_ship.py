"""What travels to another machine, and what comes home: whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from slubench.errors import DataError
from slubench.runtime.home import Home
from slubench.sweep.grid import GridCell
from slubench.sweep.ship import needs_of, pack, results_of, settle, strategies_of, take_home
from slubench.sweep.unit import ANSWER, SweepSettings, Unit


def unit(home: Path, strategy: str) -> Unit:
    cell = GridCell(
        task="massive-de",
        strategy=strategy,
        speech="0",
        target="none",
        data_seed=0,
        train_seed=0,
        track="lora-lm",
        selection="last",
    )
    settings = SweepSettings(home=str(home), edition="mini", inputs=("speech", "text"))
    return Unit(
        kind=ANSWER, name="one", model="", engine="x", cells=(cell,), trained=("f" * 64,), settings=settings
    )


def write(path: Path, text: str = "x") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_declarations_of_ones_own_travel_with_the_unit(tmp_path: Path) -> None:
    home, there = tmp_path / "home", tmp_path / "there"
    write(home / "tasks" / "mine.py", "a task")
    write(home / "models" / "mine.py", "a model")
    write(home / "runs" / "other" / "big")
    own = write(tmp_path / "my idea.py", "a strategy")
    sent = unit(home, str(own))
    placed, brought = settle(sent, there, needs_of(sent), strategies_of(sent))
    assert (there / "tasks" / "mine.py").read_text() == "a task"
    assert (there / "models" / "mine.py").read_text() == "a model"
    assert not (there / "runs").exists()
    assert placed.settings.home == str(there)
    path = Path(placed.cells[0].strategy)
    assert (path.name, path.read_text()) == ("my idea.py", "a strategy")
    assert path.is_relative_to(there)
    assert len(brought) == 3


def test_results_come_home_without_what_was_brought_or_is_unfinished(tmp_path: Path) -> None:
    home, there = Home(tmp_path / "home"), tmp_path / "there"
    write(there / "adapters_registry" / "brought.json")
    write(there / "adapters_registry" / "new" / "weights")
    write(there / "adapters_registry" / "new.json")
    write(there / "adapters_registry" / ".half.tmp" / "weights")
    write(there / "runs" / "r" / "train.json", f'{{"folder": "{there}/runs/r"}}')
    write(there / "runs" / "r" / "checkpoints" / "00000001" / "weights")
    write(there / "runs" / "r" / "answers" / "t" / "report.json")
    write(there / "cache" / "clips" / "clip")
    archive = results_of(there, {"adapters_registry/brought.json"})
    take_home(archive, home, str(there))
    files = {str(path.relative_to(home.root)) for path in home.root.rglob("*") if path.is_file()}
    assert files == {
        "adapters_registry/new.json",
        "adapters_registry/new/weights",
        "runs/r/train.json",
        "runs/r/answers/t/report.json",
    }
    assert (home.runs / "r" / "train.json").read_text() == f'{{"folder": "{home.root}/runs/r"}}'


def test_what_says_that_something_is_done_comes_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home, there = Home(tmp_path / "home"), tmp_path / "there"
    write(there / "adapters_registry" / "new" / "weights")
    write(there / "adapters_registry" / "new.json")
    write(there / "runs" / "r" / "answers" / "t" / "zzz.parquet")
    write(there / "runs" / "r" / "answers" / "t" / "report.json")
    archive, placed = results_of(there, set()), list[str]()
    replace = Path.replace

    def counted(path: Path, target: Path) -> Path:
        placed.append(target.name)
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", counted)
    take_home(archive, home, str(there))
    assert set(placed[:2]) == {"weights", "zzz.parquet"}
    assert set(placed[2:]) == {"new.json", "report.json"}


def test_an_archive_that_is_cut_leaves_nothing(tmp_path: Path) -> None:
    home, there = Home(tmp_path / "home"), tmp_path / "there"
    write(there / "runs" / "r" / "a", "x" * 5000)
    archive = pack(there, [there / "runs" / "r" / "a"])
    with pytest.raises(DataError, match="not whole"):
        take_home(archive[:2000], home, str(there))
    assert not [path for path in home.root.rglob("*") if path.is_file()]


def test_links_are_not_followed(tmp_path: Path) -> None:
    there = tmp_path / "there"
    write(tmp_path / "secret" / "file")
    (there / "runs").mkdir(parents=True)
    os.symlink(tmp_path / "secret", there / "runs" / "link")
    assert b"secret" not in results_of(there, set())
    assert b"link" not in results_of(there, set())


def test_a_unit_that_is_tried_again_brings_home_what_it_had_made_before(tmp_path: Path) -> None:
    home, there = tmp_path / "home", tmp_path / "there"
    write(home / "tasks" / "mine.py", "a task")
    sent = unit(home, "text-only")
    settle(sent, there, needs_of(sent), {})
    write(there / "runs" / "one" / "replies.jsonl", "made by the first try")
    _, brought = settle(sent, there, needs_of(sent), {})
    take_home(results_of(there, brought), Home(home), str(there))
    assert (home / "runs" / "one" / "replies.jsonl").read_text() == "made by the first try"
