"""Budgets parse, nest, and buy the same clips everywhere."""

from __future__ import annotations

import itertools

import pytest

from slubench import Clip, Meaning, Utterance
from slubench.budget import Budget, purchase_order
from slubench.errors import UsageError

POOL = [Utterance(str(n), "de", "x", Meaning("a", "b"), Clip("f", n)) for n in range(1000)]

PINNED = ["392", "942", "404", "87", "923", "282"]


def three_seconds(utterance: Utterance) -> float:
    return 3.0


@pytest.mark.parametrize(
    ("text", "shown", "clips"),
    [
        ("5%", "5%", 50),
        (" 2.5 % ", "2.5%", 25),
        ("0.01%", "0.01%", 1),
        ("100%", "100%", 1000),
        ("0", "0", 0),
        ("0%", "0", 0),
        ("230", "230", 230),
        ("5000", "5000", 1000),
        ("20min", "20min", 400),
        ("1.5min", "1.5min", 30),
        ("500min", "500min", 1000),
    ],
)
def test_forms(text: str, shown: str, clips: int) -> None:
    budget = Budget.parse(text)
    assert str(budget) == shown
    assert Budget.parse(str(budget)) == budget
    assert len(budget.buy(POOL, 0, three_seconds)) == clips


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("-5%", "negative"),
        ("-1", "negative"),
        ("101%", "no more than 100%"),
        ("5.5", "did you mean 5.5%"),
        ("five", "expected a share"),
        ("", "expected a share"),
        ("5 hours", "expected a share"),
        ("nan", "expected a share"),
    ],
)
def test_what_is_no_budget(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Budget.parse(text)


@pytest.mark.parametrize("seed", [0, 1, 7])
def test_every_budget_is_a_prefix_of_every_larger_one(seed: int) -> None:
    sizes = [Budget.parse(text) for text in ("2%", "1min", "50", "10%", "20min", "100%")]
    bought = sorted((budget.buy(POOL, seed, three_seconds) for budget in sizes), key=len)
    for small, large in itertools.pairwise(bought):
        assert large[: len(small)] == small


def test_the_order_is_known() -> None:
    """Pinned: another machine or Python version must buy the same clips."""
    assert [u.id for u in purchase_order(POOL, 0)[:6]] == PINNED
    assert [u.id for u in purchase_order(reversed(POOL), 0)[:6]] == PINNED
    assert [u.id for u in purchase_order(POOL, 1)[:6]] != PINNED


def test_minutes_ask_no_more_lengths_than_they_must() -> None:
    asked: list[str] = []

    def length(utterance: Utterance) -> float:
        asked.append(utterance.id)
        return 3.0

    assert len(Budget.parse("1min").buy(POOL, 0, length)) == 20
    assert len(asked) == 21
