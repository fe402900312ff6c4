"""What a stage and a strategy accept, and how a wrong value is told."""

from __future__ import annotations

from typing import Any

import pytest

from slubench import SPEECH, TEXT, Stage, Strategy
from slubench.errors import DeclarationError


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"trains": "lm"}, "trains of a stage must be a tuple of 'lm', 'projector', 'encoder'"),
        ({"trains": ("tower",)}, "as in trains="),
        ({"start": "1"}, "start of a stage must be the number of an earlier stage"),
        ({"start": True}, "start of a stage must be"),
        ({"average": (1, 2.0)}, "average of a stage must be a tuple"),
        ({"average": [1, 2]}, "average of a stage must be a tuple"),
        ({"average": (1, 2), "start": 1}, "not both"),
        ({"share": 0}, "above 0 and at most 1"),
    ],
)
def test_a_wrong_value_of_a_stage_is_told_with_what_was_expected(wrong: dict[str, Any], told: str) -> None:
    with pytest.raises(DeclarationError, match=told.replace("(", r"\(")):
        Stage(learns_from=TEXT, **wrong)


def mine(*stages: dict[str, Any]) -> Strategy:
    return Strategy(
        name="mine", stages=tuple(Stage(learns_from=TEXT, **{"share": 0.2, **one}) for one in stages)
    )


@pytest.mark.parametrize(
    ("stages", "told"),
    [
        (({"start": 1},), "stage 1 of mine starts from stage 1; it can start from 0"),
        (({}, {"start": 3}), "stage 2 of mine starts from stage 3; .* or from the stages 1 to 1"),
        (({}, {"average": (1, 1)}), "two or more different stages before it"),
        (({}, {"average": (1, 2)}), "stage 2 of mine averages .* before it"),
        (
            ({"trains": ("lm",)}, {"start": 0, "trains": ("projector",)}, {"average": (1, 2)}),
            "averages stages 1 and 2, which do not train the same parts .lm; projector.",
        ),
    ],
)
def test_a_stage_that_cannot_begin_is_told_with_its_number(stages: tuple[Any, ...], told: str) -> None:
    with pytest.raises(DeclarationError, match=told):
        mine(*stages)


def test_stages_of_the_same_parts_are_averaged_and_one_without_share_learns_nothing() -> None:
    merged = mine({}, {"start": 0}, {"share": 0, "average": (1, 2)})
    assert merged.learns_from == TEXT
    assert SPEECH not in merged.learns_from
