"""Budgets parse, nest, and buy the same clips everywhere."""

from __future__ import annotations

import itertools
from collections import Counter

import pytest

from slubench import Clip, Meaning, Utterance
from slubench.domain.budget import Budget, purchase_order
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
        ("few115", "few115", 1000),
        ("5%+stratified", "5%+stratified", 50),
        ("50+all-recordings", "50+all-recordings", 50),
        ("5%+all-recordings+stratified", "5%+stratified+all-recordings", 50),
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
        ("101%", "at most 100%"),
        ("5.5", "did you mean 5.5%"),
        ("five", "expected a share"),
        ("", "expected a share"),
        ("5 hours", "expected a share"),
        ("nan", "expected a share"),
        ("5%+best", "expected stratified or all-recordings after \\+"),
        ("few115+stratified", "the published 115 are fixed"),
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


def intents(number: int) -> Utterance:
    """Three intents: 600, 390 and 10 of a thousand."""
    action = "a" if number < 600 else "b" if number < 990 else "c"
    return Utterance(str(number), "de", "x", Meaning("s", action), Clip("f", number))


@pytest.mark.parametrize("seed", [0, 1])
def test_stratified_prefixes_hold_each_intent_in_its_share(seed: int) -> None:
    pool = [intents(number) for number in range(1000)]
    for size in (50, 100, 200, 500):
        bought = Budget.parse(f"{size}+stratified").buy(pool, seed, three_seconds)
        counts = Counter(utterance.meaning.action for utterance in bought)
        for action, share in (("a", 0.6), ("b", 0.39), ("c", 0.01)):
            assert abs(counts[action] - share * size) <= 1
    small, large = (Budget.parse(f"{n}+stratified").buy(pool, seed, three_seconds) for n in (37, 400))
    assert large[:37] == small


def test_stratified_is_not_ranked_and_its_order_is_known() -> None:
    assert not Budget.parse("5%+stratified").ranked
    assert Budget.parse("5%+all-recordings").ranked
    pool = [intents(number) for number in range(1000)]
    order = [u.id for u in Budget.parse("6+stratified").buy(pool, 0, three_seconds)]
    assert order == [u.id for u in Budget.parse("6+stratified").buy(pool[::-1], 0, three_seconds)]


def test_all_recordings_of_a_sentence_are_bought_together() -> None:
    pool = [
        Utterance(str(n), "en", "x", Meaning("a", "b"), Clip(f"{n}-{r}"), recording=str(r))
        for n in range(100)
        for r in range(n % 4 + 1)
    ]
    sizes = [Budget.parse(f"{share}%+all-recordings").buy(pool, 3, three_seconds) for share in (5, 20, 100)]
    for small, large in itertools.pairwise(sizes):
        assert large[: len(small)] == small
    for bought, sentences in zip(sizes, (5, 20, 100), strict=True):
        ids = {utterance.id for utterance in bought}
        assert len(ids) == sentences
        assert len(bought) == sum(utterance.id in ids for utterance in pool)


def test_minutes_ask_no_more_lengths_than_they_must() -> None:
    asked: list[str] = []

    def length(utterance: Utterance) -> float:
        asked.append(utterance.id)
        return 3.0

    assert len(Budget.parse("1min").buy(POOL, 0, length)) == 20
    assert len(asked) == 21
