"""Declarations are found on the shelves, from plugins, in HOME and in named files; trouble is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from slubench.errors import DeclarationError, UsageError
from slubench.registry import Registry

MINE = """
from slubench import TEXT, Stage, Strategy

MINE = Strategy(name="{name}", summary="mine", stages=(Stage(learns_from=TEXT),))
"""


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_the_shelves() -> None:
    registry = Registry()
    assert {"zero-shot", "text-only", "speech-only", "direct-mix", "curriculum"} <= set(registry.strategies)
    assert {"qwen2-audio-7b-instruct", "tiny"} <= set(registry.models)
    monolingual = {f"massive-{x}" for x in "ar de es fr hu ko nl pl pt ru tr vi".split()}
    crossing = {f"massive-{s}-to-{t[8:]}" for s in ("de", "fr") for t in monolingual if t[8:] != s}
    assert monolingual | crossing <= set(registry.tasks)
    assert registry.tasks["massive-es"].train == "train_115"
    assert registry.tasks["massive-de-to-es"].cross_lingual
    assert not registry.tasks["massive-de"].cross_lingual
    assert registry.origin(registry.strategy("curriculum")).endswith("strategies/curriculum.py")


@pytest.mark.parametrize(
    ("kind", "name", "near"),
    [
        ("task", "massive-dee", "massive-de"),
        ("strategy", "curiculum", "curriculum"),
        ("model", "tinny", "tiny"),
    ],
)
def test_a_wrong_name_is_met_with_the_near_one(kind: str, name: str, near: str) -> None:
    with pytest.raises(UsageError, match=rf"There is no {kind} '{name}'. Did you mean .*{near}") as caught:
        getattr(Registry(), kind)(name)
    assert caught.value.exit_code == 2


def test_a_file_named(tmp_path: Path) -> None:
    path = write(tmp_path / "mine.py", MINE.format(name="mine"))
    registry = Registry()
    strategy = registry.strategy(str(path))
    assert strategy.name == "mine"
    assert registry.origin(strategy) == str(path)


def test_home(tmp_path: Path) -> None:
    path = write(tmp_path / "strategies" / "mine.py", MINE.format(name="mine"))
    registry = Registry(tmp_path)
    assert registry.origin(registry.strategy("mine")) == str(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("import nowhere_to_be_found\n", r"line 1: the file cannot be imported: ModuleNotFoundError"),
        ("x = 1\n\nraise ValueError('why')\n", r"line 3: the file cannot be imported: ValueError: why"),
        ("def broken(:\n", r"line 1: the file cannot be imported: SyntaxError"),
        ("x = 1\n", r"declares no strategy"),
        (MINE.format(name="one") + "\nTWO = Strategy(name='two')\n", r"declares 2 strategies \(one, two\)"),
        (
            MINE.format(name="curriculum"),
            r"'curriculum' is declared twice: in .*mine.py and in .*curriculum.py",
        ),
        (MINE.format(name="Not A Name"), r"line 4: .*lower-case letters"),
        (MINE.format(name="../../x"), r"line 4: .*lower-case letters"),
        (MINE.format(name="x" * 10_000), r"line 4: .*lower-case letters"),
        (
            "from slubench import Stage, TEXT\nStage(learns_from=TEXT, share=2)\n",
            r"line 2: .*share of a stage must be",
        ),
    ],
)
def test_a_file_that_does_not_serve(tmp_path: Path, text: str, message: str) -> None:
    path = write(tmp_path / "mine.py", text)
    with pytest.raises(DeclarationError, match=message) as caught:
        Registry().strategy(str(path))
    assert str(path) in str(caught.value)
    assert len(str(caught.value)) < 500


def test_a_line_is_named_where_the_path_is_relative_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "mine.py", "x = 1\nimport nowhere_to_be_found\n")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DeclarationError, match=r"^mine.py, line 2: the file cannot be imported"):
        Registry().strategy("mine.py")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DeclarationError, match="There is no strategy file"):
        Registry().strategy(str(tmp_path / "no.py"))


@pytest.mark.parametrize("folder", ["", "./"])
def test_a_file_that_is_no_python_is_told_as_such(
    folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "notes.md").write_text("# Notes")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DeclarationError, match=r"notes\.md does not end in \.py; a strategy is declared"):
        Registry(tmp_path).strategy(f"{folder}notes.md")
