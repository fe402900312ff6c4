"""A value of the wrong type is met where it is declared, by the name of its field."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

import pytest

from slubench import SPEECH, TEXT, Stage, Strategy
from slubench.domain.declared_types import fits
from slubench.errors import DeclarationError
from slubench.registry import Registry


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"learns_from": "text"}, r"learns_from of a stage must be TEXT, SPEECH or TEXT \| SPEECH"),
        ({"learns_from": None}, "learns_from of a stage must be"),
        ({"share": "half"}, "share of a stage must be a number, not 'half'"),
        ({"rate": None}, "rate of a stage must be a number"),
        ({"passes": "2"}, "passes of a stage must be a number or None"),
        ({"compose": "shuffle"}, "compose of a stage must be"),
        ({"compose": lambda pool: pool}, r"called as compose\(pool, rng\)"),
        ({"compose": lambda: 1}, r"called as compose\(pool, rng\)"),
        ({"objective": lambda model: 1}, r"called as objective\(model, batch\)"),
        ({"transform": lambda: 1, "compose": lambda pool, rng: []}, r"called as transform\(utterance\)"),
    ],
)
def test_a_stage_says_what_is_wrong(changed: Mapping[str, Any], message: str) -> None:
    with pytest.raises(DeclarationError, match=message):
        Stage(**{"learns_from": TEXT, **changed})


def test_functions_with_defaults_and_more_are_fine() -> None:
    def compose(pool: Any, rng: Any, most: int = 3, **more: Any) -> list[Any]:
        return []

    assert Stage(learns_from=TEXT | SPEECH, compose=compose, share=1).compose is compose
    assert Stage(learns_from=TEXT, compose=lambda *given: []).share == 1


@pytest.mark.parametrize("changed", [{"stages": Stage(learns_from=TEXT)}, {"summary": 3}, {"ontology": "no"}])
def test_a_strategy_says_what_is_wrong(changed: Mapping[str, Any]) -> None:
    with pytest.raises(DeclarationError, match=f"{next(iter(changed))} of the strategy mine must be"):
        Strategy(**{"name": "mine", **changed})


@pytest.mark.parametrize(
    ("value", "hint", "right"),
    [
        (1, float, True),
        (True, float, False),
        (True, int, False),
        ("de", tuple[str, ...], False),
        (["de"], tuple[str, ...], True),
        (("de", 1), tuple[str, ...], False),
        ({}, Mapping[str, str], True),
        ((), Mapping[str, str], False),
        (len, Callable[..., Any], True),
        (None, str | None, True),
        ("a", Literal["a", "b"], True),
        ("c", Literal["a", "b"], False),
    ],
)
def test_what_fits(value: object, hint: Any, right: bool) -> None:
    assert fits(value, hint) is right


@pytest.mark.parametrize(
    ("kind", "text", "message"),
    [
        (
            "tasks",
            "from slubench.tasks.massive import SPEECH_MASSIVE\nfrom slubench import Task\n"
            "MINE = Task(name='mine', corpus=SPEECH_MASSIVE, test_in='de', text_in='de', speech_in=())\n",
            "text_in of the task mine must be a tuple of str, not 'de'",
        ),
        (
            "models",
            "from slubench.models.tiny import TINY\nimport dataclasses\n"
            "MINE = dataclasses.replace(TINY, name='mine', sampling_rate='16k')\n",
            "sampling_rate of Model 'mine' must be a whole number, not '16k'",
        ),
    ],
)
def test_a_file_of_any_kind_is_met_by_its_field(kind: str, text: str, message: str, tmp_path: Path) -> None:
    file = tmp_path / kind / "mine.py"
    file.parent.mkdir()
    file.write_text(text, "utf-8")
    said: list[str] = []
    registry = Registry(tmp_path, said.append)
    known = getattr(registry, kind)
    assert "mine" not in known
    assert message in "\n".join(said)
    assert dataclasses.is_dataclass(next(iter(known.values())))
