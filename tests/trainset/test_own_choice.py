"""A strategy's own `choose`: what it sees, what it may buy, and how a wrong choice is told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest

from slubench import (
    SPEECH,
    TEXT,
    Candidate,
    Clip,
    Entity,
    Meaning,
    SpeechBudget,
    SpeechOffer,
    Stage,
    Strategy,
    Utterance,
)
from slubench.domain.budget import Budget
from slubench.errors import DataError, DeclarationError, UsageError
from slubench.trainset.own_choice import bought_elsewhere, check_drawable, choose_clips

MEANING = Meaning("alarm", "set", (Entity("time", "eight"),))
ROWS = [
    Utterance(str(n), "de", f"wake me at {n}", MEANING, Clip("file", n), speaker=f"s{n % 3}")
    for n in range(40)
]


def seconds(utterance: Utterance) -> float:
    """The clip of n lasts n seconds; that of 0 does not decode."""
    return float(utterance.id)


def strategy(function: Callable[..., Any]) -> Strategy:
    return Strategy(name="mine", stages=(Stage(learns_from=TEXT | SPEECH),), choose=function)


def bought(function: Callable[..., Any], speech: str = "10%", seed: int = 0) -> list[str]:
    wares = choose_clips(strategy(function), ROWS, Budget.parse(speech), seed, seconds)
    return [utterance.id for utterance in wares]


def longest(pool: SpeechOffer, budget: SpeechBudget, rng: Random) -> Sequence[Candidate]:
    return budget.fill(sorted(pool.speech("de"), key=lambda one: -one.seconds))


def test_the_budget_buys_what_the_strategy_chooses_in_its_order() -> None:
    assert bought(longest) == ["39", "38", "37", "36"]
    assert bought(longest, "2") == ["39", "38"]
    # 39 + 38 seconds are 1.28 minutes.
    assert bought(longest, "1.3min") == ["39", "38"]


def test_chance_comes_from_the_data_seed() -> None:
    def any_four(pool: SpeechOffer, budget: SpeechBudget, rng: Random) -> list[Candidate]:
        assert budget.clips == 4
        return rng.sample(pool.speech(), 4)

    assert bought(any_four) == bought(any_four)
    assert bought(any_four) != bought(any_four, seed=1)


def test_texts_languages_durations_and_speakers_are_seen_but_neither_audio_nor_labels() -> None:
    def looks(pool: SpeechOffer, budget: SpeechBudget, rng: Random) -> Sequence[Candidate]:
        one = next(one for one in pool.speech() if one.name == "5")
        assert (one.text, one.language, one.seconds, one.speaker) == ("wake me at 5", "de", 5.0, "s2")
        assert not hasattr(one, "meaning")
        assert not hasattr(one, "clip")
        assert len(pool.speech()) == 39
        return [one]

    assert bought(looks) == ["5"]


OTHER = Candidate("7", "de", "another text", 7.0)


@pytest.mark.parametrize(
    ("function", "told"),
    [
        (lambda pool, budget, rng: pool.speech(), r"39 clips of 13.0 minutes, and --speech 10% buys 4 clips"),
        (lambda pool, budget, rng: [OTHER], r"'7', which is not among the 39 clips for sale"),
        (lambda pool, budget, rng: ["7"], r"'7', which is not among"),
        (lambda pool, budget, rng: 2 * list(pool.speech()[:1]), r"'1' twice"),
        (lambda pool, budget, rng: [], r"returned no clip"),
        (lambda pool, budget, rng: None, r"returned a NoneType"),
        (lambda pool, budget, rng: "12", r"returned a str"),
        (lambda pool, budget, rng: 1 / 0, r"failed, line \d+: ZeroDivisionError"),
        (lambda pool, budget, rng: pool.predict([]), r"no attribute 'predict'"),
    ],
)
def test_a_wrong_choice_is_told_with_file_and_remedy(function: Callable[..., Any], told: str) -> None:
    with pytest.raises(DeclarationError, match=rf"choose of mine \(test_own_choice.py\).*{told}"):
        bought(function)


def test_too_many_minutes_are_told() -> None:
    with pytest.raises(DeclarationError, match=r"39 clips of 13.0 minutes, and --speech 2min buys 2 minutes"):
        bought(lambda pool, budget, rng: pool.speech(), "2min")


def test_a_choice_that_reads_a_file_is_refused(tmp_path: Path) -> None:
    scores = tmp_path / "scores.json"
    scores.write_text("[]", "utf-8")

    def reads(pool: SpeechOffer, budget: SpeechBudget, rng: Random) -> Sequence[Candidate]:
        with scores.open(encoding="utf-8"):
            return pool.speech()[:1]

    with pytest.raises(DeclarationError, match=r"choose of mine .*reads .*scores.json"):
        bought(reads)


@pytest.mark.parametrize("speech", ["10%+stratified", "10%+all-recordings"])
def test_a_budget_that_says_how_it_draws_is_refused(speech: str) -> None:
    with pytest.raises(UsageError, match="mine chooses its own clips"):
        check_drawable(strategy(longest), Budget.parse(speech))
    check_drawable(strategy(longest), Budget.parse("few115"))


def test_a_choice_needs_speech() -> None:
    with pytest.raises(DeclarationError, match="there is no clip to choose"):
        Strategy(name="mine", stages=(Stage(learns_from=TEXT),), choose=longest)


def test_what_was_chosen_elsewhere_is_checked_against_the_budget() -> None:
    def again(chosen: dict[str, list[str]]) -> list[str]:
        found = bought_elsewhere(chosen, strategy(longest), ROWS, Budget.parse("10%"), seconds)
        return [utterance.id for utterance in found]

    assert again({"de": ["39", "3"]}) == ["39", "3"]
    with pytest.raises(DataError, match="'99', which is not for sale"):
        again({"de": ["99"]})
    with pytest.raises(DataError, match="a clip twice"):
        again({"de": ["3", "3"]})
    with pytest.raises(DataError, match="are 5, and 10% buys 4 clips"):
        again({"de": ["1", "2", "3", "4", "5"]})
