"""A file declares what it makes, not what it imports; a copy of a shelf declares nothing anew."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from slubench.errors import DeclarationError
from slubench.registry import Registry
from tests.command import slubench
from tests.registry.declarations import STRATEGY, write

ROOT = Path(__file__).resolve().parents[2]
SHELVES = ("tasks", "strategies", "leaderboard")

CHANGED = """
from dataclasses import replace

from slubench.strategies.curriculum import CURRICULUM

MINE = replace(CURRICULUM, name="mine")
"""


def test_a_changed_strategy_is_new_and_the_shipped_one_keeps_its_file(tmp_path: Path) -> None:
    path = write(tmp_path / "strategies" / "mine.py", CHANGED)
    said: list[str] = []
    registry = Registry(tmp_path, said.append)
    assert registry.origin(registry.strategy("mine")) == str(path)
    assert registry.origin(registry.strategy("curriculum")) == str(ROOT / "strategies" / "curriculum.py")
    assert registry.strategy("mine").stages == registry.strategy("curriculum").stages
    assert said == []
    assert Registry().strategy(str(path)).name == "mine"


@pytest.mark.parametrize(
    "text",
    [
        "from slubench.strategies.curriculum import CURRICULUM\n",
        "from slubench.strategies.curriculum import *\n",
        "from slubench.strategies.curriculum import CURRICULUM\nAGAIN = CURRICULUM\nBOTH = (CURRICULUM,)\n",
        "import slubench.strategies.curriculum as shelf\nMINE = shelf.CURRICULUM\n",
        "from slubench.strategies import curriculum\nMINE = curriculum.CURRICULUM\n",
    ],
)
def test_what_is_imported_is_not_declared(tmp_path: Path, text: str) -> None:
    path = write(tmp_path / "strategies" / "mine.py", text)
    registry = Registry(tmp_path)
    assert set(registry.strategies) == set(Registry().strategies)
    assert registry.origin(registry.strategy("curriculum")).endswith("strategies/curriculum.py")
    with pytest.raises(DeclarationError, match=r"declares no strategy.*imported ones do not count"):
        Registry().strategy(str(path))


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("ALL = tuple(make(n) for n in 'ab')\n", ["a", "b"]),
        ("ALL = [make(n) for n in 'ab']\n", ["a", "b"]),
        ("for n in 'ab':\n    globals()[n] = make(n)\n", ["a", "b"]),
        ("if True:\n    A = make('a')\n", ["a"]),
        ("A = B = make('a')\nBOTH = (A, B)\n", ["a"]),
        ("A: Strategy = make('a')\n", ["a"]),
    ],
)
def test_loops_and_comprehensions_declare(tmp_path: Path, text: str, names: list[str]) -> None:
    begin = (
        "from slubench import TEXT, Stage, Strategy\n\n"
        "def make(name):\n    return Strategy(name='own-' + name, stages=(Stage(learns_from=TEXT),))\n\n"
    )
    path = write(tmp_path / "strategies" / "mine.py", begin + text)
    registry = Registry(tmp_path)
    own = [one.name for one in registry.strategies.values() if registry.origin(one) == str(path)]
    assert own == [f"own-{name}" for name in names]


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """Another checkout, with copies of the shelves."""
    for shelf in SHELVES:
        folder = tmp_path / "clone" / shelf
        folder.mkdir(parents=True)
        for path in (ROOT / shelf).glob("*.py"):
            shutil.copyfile(path, folder / path.name)
    shutil.copyfile(ROOT / "pyproject.toml", tmp_path / "clone" / "pyproject.toml")
    return tmp_path / "clone"


def test_another_checkout_declares_nothing_twice(clone: Path) -> None:
    said: list[str] = []
    registry = Registry(clone, said.append)
    for kind in ("tasks", "strategies", "models", "views"):
        assert list(getattr(registry, kind)) == list(getattr(Registry(), kind))
    assert registry.strategy(str(clone / "strategies" / "curriculum.py")) is registry.strategy("curriculum")
    assert said == []
    ran = slubench("list", "--json", "--home", clone)
    assert ran.stderr == ""


def test_what_another_checkout_has_of_its_own_counts(clone: Path) -> None:
    path = write(clone / "strategies" / "mine.py", STRATEGY.format(name="mine"))
    changed = clone / "tasks" / "massive.py"
    changed.write_text(changed.read_text("utf-8") + "\n# changed\n", "utf-8")
    said: list[str] = []
    registry = Registry(clone, said.append)
    assert registry.origin(registry.strategy("mine")) == str(path)
    assert registry.origin(registry.task("massive-de")) == str(ROOT / "tasks" / "massive.py")
    (line,) = said
    assert f"more of this file) is declared twice: in {changed} and in {ROOT / 'tasks'}" in line


def test_a_link_to_a_shelf_s_file_is_that_file(tmp_path: Path) -> None:
    (tmp_path / "strategies").mkdir()
    (tmp_path / "strategies" / "other_name.py").symlink_to(ROOT / "strategies" / "curriculum.py")
    said: list[str] = []
    assert set(Registry(tmp_path, said.append).strategies) == set(Registry().strategies)
    assert said == []
