"""Whether the loss of a rehearsal falls."""

from __future__ import annotations

import pytest

from slubench.conformance.trial import by_stage, learning_verdict
from slubench.conformance.verdict import FAIL, NOT_CHECKED, PASS

FALLING = [3.0, 2.8, 2.5, 2.0, 1.5, 1.2, 1.0, 0.9]
FLAT = [3.0, 3.1, 2.9, 3.0, 3.1, 2.9, 3.0, 3.0]


@pytest.mark.parametrize(
    ("stages", "state"),
    [
        ([FALLING], PASS),
        ([FLAT], FAIL),
        ([FALLING[::-1]], FAIL),
        ([FALLING, FLAT], PASS),
        ([FLAT, FLAT], FAIL),
        ([[3.0, 1.0]], NOT_CHECKED),
        ([[-loss for loss in FALLING[::-1]]], PASS),
        ([[0.0] * 8], FAIL),
    ],
)
def test_a_loss_that_does_not_fall_is_found(stages: list[list[float]], state: str) -> None:
    assert learning_verdict([("at 100%", stages)]).state == state


def test_the_verdict_names_budget_and_losses() -> None:
    verdict = learning_verdict([("at 2%", [FALLING]), ("at 100%", [FLAT])])
    assert verdict.reason == "the loss does not fall: from 3.05 to 3.00 at 100%"
    assert verdict.remedy


def test_losses_are_told_by_stage() -> None:
    assert by_stage([1.0, 2.0, 3.0], (1, 2)) == [[1.0], [2.0, 3.0]]
