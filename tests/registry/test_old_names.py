"""Files that were written for 0.1.0 go on working, with a line that tells the new names."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

import slubench
from slubench.domain.corpus import HubRepo
from slubench.registry import Registry, strategy_in
from slubench.registry.moved_modules import MOVED, RENAMED, old_names
from slubench.registry.static_read import read_strategy
from tests.registry.declarations import STRATEGY, VIEW, write

OLD_TASK = """
from dataclasses import replace

from slubench import Place, Task
from slubench.corpus import INTEGER, Layout
from slubench.tasks.massive import SPEECH_MASSIVE

MINE = Task(
    name="mine", corpus=replace(SPEECH_MASSIVE, name="other", layouts=(
        replace(SPEECH_MASSIVE.layouts[0], places={"*": Place("a/b")}),
    )),
    test_in="de", text_in=("de",), speech_in=("de",),
)
"""


def test_a_view(home: Path) -> None:
    text = VIEW.format(name="mine").replace("slubench.board.view", "slubench.view")
    path = write(home / "leaderboard" / "mine.py", text + "\nfrom slubench.view import Panel\n")
    said: list[str] = []
    registry = Registry(home, said.append)
    assert registry.view("mine").title == "Mine"
    assert said == [
        f"{path} uses old names, which work until 0.3: slubench.view is now slubench.board.view,"
        " slubench.view.Panel is now slubench.board.panel.Panel"
    ]


def test_a_task(home: Path) -> None:
    path = write(home / "tasks" / "mine.py", OLD_TASK)
    said: list[str] = []
    task = Registry(home, said.append).task("mine")
    assert task.corpus.layouts[0].places["*"] == HubRepo("a/b")
    assert said == [
        f"{path} uses old names, which work until 0.3: slubench.Place is now slubench.HubRepo,"
        " slubench.corpus is now slubench.domain.corpus"
    ]


def test_a_strategy_is_read_and_imported(tmp_path: Path) -> None:
    text = STRATEGY.format(name="mine").replace("from slubench import", "from slubench.strategy import")
    path = write(tmp_path / "mine.py", text)
    said: list[str] = []
    declared = Registry(None, said.append).strategy(str(path))
    assert declared == strategy_in(path) == read_strategy(text, "mine")
    assert len(said) == 1


@pytest.mark.parametrize("name", MOVED)
def test_a_name_is_there_while_declarations_are_loaded_and_then_no_more(name: str) -> None:
    with old_names() as used:
        old = importlib.import_module(f"slubench.{name}")
        for module in MOVED[name]:
            new = importlib.import_module(f"slubench.{module}")
            public = next(each for each in vars(new) if each[0].isalpha())
            assert getattr(old, public) is getattr(new, public)
        with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
            _ = old.nothing
    assert used
    assert f"slubench.{name}" not in sys.modules
    assert not hasattr(slubench, name)
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module(f"slubench.{name}")


@pytest.mark.parametrize("name", RENAMED)
def test_the_face_has_old_names_for_declarations_alone(name: str) -> None:
    with old_names():
        assert getattr(slubench, name) is getattr(slubench, RENAMED[name])
    assert not hasattr(slubench, name)
