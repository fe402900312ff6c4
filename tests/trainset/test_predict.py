"""`pool.predict` and `pool.unlabelled`: what a stage may ask, learn from the replies, and what is counted."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from random import Random
from typing import Any

import pytest

from slubench import (
    SPEECH,
    TEXT,
    Clip,
    Entity,
    Example,
    Meaning,
    Pool,
    Stage,
    Strategy,
    Unlabelled,
    Utterance,
)
from slubench.conformance.stand_in import stand_in
from slubench.domain.budget import Budget
from slubench.domain.pool import BudgetError
from slubench.errors import DeclarationError
from slubench.trainset.ledger import PoolContents, consumption, count
from slubench.trainset.rules import beyond_budget, beyond_stages, beyond_updates
from slubench.trainset.train_set import StageExamples, compose, exposure

MEANING = Meaning("alarm", "set", (Entity("time", "eight"),))
ROWS = [Utterance(str(n), "de", f"wake me at {n}", MEANING, Clip("file", n)) for n in range(60)]
OTHERS = [Unlabelled(f"unlabelled:{n}", "de", Clip("file", n)) for n in range(10, 60)]
POOL = Pool({"de": ROWS}, {"de": ROWS[:10]}, Budget.parse("10"), {"de": OTHERS})
CELL = exposure(60, 60, 10, 16)
Asked = list[tuple[int, int, list[Example]]]


def composed(
    function: Callable[..., Any], pool: Pool = POOL, asked: Asked | None = None, **declared: Any
) -> tuple[StageExamples, ...]:
    strategy = Strategy(
        name="mine",
        track="open",
        unlabelled=True,
        stages=(
            Stage(learns_from=TEXT, share=0.5),
            Stage(learns_from=TEXT | SPEECH, share=0.5, compose=function, **declared),
        ),
    )

    def predict(
        number: int, before: Sequence[StageExamples], wanted: Sequence[Example]
    ) -> Mapping[Example, str]:
        if asked is not None:
            asked.append((number, sum(part.updates for part in before), list(wanted)))
        return {example: f"reply to {example.utterance}" for example in wanted}

    stages = compose(strategy, pool, CELL, 0, predict)
    assert not [
        *beyond_updates(stages, CELL),
        *beyond_stages(strategy, stages, pool, CELL),
        *beyond_budget(strategy, stages, pool, CELL),
    ]
    return stages


def teach_itself(pool: Pool, rng: Random) -> Iterator[Example]:
    several = pool.unlabelled("de")
    replies = pool.predict(one.example() for one in several)
    for one, reply in zip(several, replies, strict=True):
        yield one.example(reply)
    for utterance in pool.speech():
        yield Example.spoken(utterance)


def test_a_stage_learns_what_the_model_replied_before_it_began() -> None:
    asked: Asked = []
    stages = composed(teach_itself, asked=asked)
    ((number, before, wanted),) = asked
    assert (number, before, len(wanted)) == (1, stages[0].updates, 50)
    taught = [example for example in stages[1].examples if example.utterance.startswith("unlabelled:")]
    assert {example.target for example in taught} == {f"reply to {one.key}" for one in OTHERS}


def test_recordings_that_were_not_bought_are_counted_apart_and_use_up_no_budget() -> None:
    stages = composed(teach_itself)
    taken = consumption(stages)
    assert (taken.heard.total(), taken.unlabelled.total()) == (12, 100)
    assert len(taken.unlabelled) == 50
    assert set(taken.to_json()["heard"]["de"]) == {str(n) for n in range(10)}
    ledger = count(stages, PoolContents(60), lambda clip: 6.0)
    assert ledger.unlabelled_unique == 50
    assert ledger.unlabelled_exposures == 100
    assert ledger.unlabelled_minutes == pytest.approx(10)
    assert sum(ledger.clip_exposures.values()) == 12


def test_hard_examples_are_found_by_asking_about_what_is_labelled() -> None:
    def hard(pool: Pool, rng: Random) -> Iterator[Example]:
        examples = [Example.written(u) for u in pool.text()]
        replies = pool.predict(examples)
        wrong = [one for one, reply in zip(examples, replies, strict=True) if one.target != reply]
        assert len(wrong) == 60
        yield from wrong[:20]
        yield replace(examples[0], target=replies[0])

    stages = composed(hard)
    assert stages[1].examples[20].target == "reply to 0"


def test_a_strategy_that_catches_all_errors_still_asks() -> None:
    def careful(pool: Pool, rng: Random) -> Iterator[Example]:
        try:
            replies = pool.predict([Example.written(pool.text()[0])])
        except Exception:
            replies = ("never",)
        assert replies == ("reply to 0",)
        yield Example.written(pool.text()[0])

    composed(careful)


def test_without_a_model_to_ask_the_stage_is_named() -> None:
    strategy = Strategy(
        name="mine",
        track="open",
        unlabelled=True,
        stages=(Stage(learns_from=SPEECH, compose=teach_itself),),
    )
    with pytest.raises(DeclarationError, match=r"mine, stage 1 calls pool.predict, and there is no model"):
        compose(strategy, POOL, CELL, 0)


def ask(example: object) -> Callable[..., Any]:
    def asks(pool: Pool, rng: Random) -> Iterator[Example]:
        pool.predict([example])  # type: ignore[list-item]
        yield Example.written(pool.text()[0])

    return asks


@pytest.mark.parametrize(
    ("example", "error", "told"),
    [
        (ROWS[0], DeclarationError, "pool.predict takes Example values, .* not Utterance"),
        (Example.spoken(ROWS[20]), BudgetError, "asks pool.predict about a clip of '20', which is neither"),
    ],
)
def test_a_wrong_question_is_told(example: object, error: type[Exception], told: str) -> None:
    pool = replace(POOL, unbought=None)
    with pytest.raises(error, match=told):
        composed(ask(example), pool)


@pytest.mark.parametrize(
    ("learnt", "told"),
    [
        (
            OTHERS[0].example("my own idea"),
            "'my own idea' of 'unlabelled:10' .* is not what the model replied",
        ),
        (replace(OTHERS[0].example(), parts=(OTHERS[1].clip,)), "may hear its own recording alone"),
        (replace(Example.spoken(ROWS[0]), target="my own idea"), "'my own idea' of '0' .*nor its transcript"),
    ],
)
def test_a_lesson_that_neither_pool_nor_model_gave_is_refused(learnt: Example, told: str) -> None:
    with pytest.raises(BudgetError, match=told):
        composed(lambda pool, rng: [learnt])


def test_recordings_beyond_the_budget_must_be_declared() -> None:
    with pytest.raises(BudgetError, match=r"Strategy\(unlabelled=True"):
        replace(POOL, unbought=None).unlabelled()
    with pytest.raises(DeclarationError, match=r"unlabelled=True: .*need track='open'"):
        Strategy(name="mine", unlabelled=True, stages=(Stage(learns_from=SPEECH),))


def test_a_stand_in_replies_for_a_check_without_a_model() -> None:
    strategy = Strategy(
        name="mine",
        track="open",
        unlabelled=True,
        stages=(Stage(learns_from=SPEECH, compose=teach_itself),),
    )
    stages = compose(strategy, POOL, CELL, 0, stand_in(POOL))
    assert stages == compose(strategy, POOL, CELL, 0, stand_in(POOL))
    assert stages[0].examples
