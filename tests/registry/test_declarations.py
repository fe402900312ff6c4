"""The conformance suite: what every declared task, strategy and model must hold to, plugins' included."""

from __future__ import annotations

from pathlib import Path

import pytest

from slubench.conformance.declarations import (
    model_declared,
    strategy_declared,
    strategy_readable,
    task_declared,
)
from slubench.conformance.stand_in import say_nothing, stand_in
from slubench.conformance.verdict import failures
from slubench.domain.budget import Budget
from slubench.domain.model import Model
from slubench.domain.pool import Pool, Unlabelled
from slubench.domain.strategy import Strategy
from slubench.domain.task import Task
from slubench.registry import Registry
from slubench.trainset.rules import beyond_budget, beyond_updates
from slubench.trainset.train_set import compose, exposure
from tests.trainset.test_train_set import BATCH, SIZE, corpus

REGISTRY = Registry()


# A strategy that needs speech is refused at 0, see test_lessons.
CELLS = [
    pytest.param(strategy, speech, id=f"{strategy.name}-{speech}")
    for strategy in REGISTRY.strategies.values()
    for speech in ("0", "2%", "100%")
    if speech != "0" or not strategy.needs_speech
]


@pytest.mark.parametrize(("strategy", "speech"), CELLS)
def test_a_strategy_stays_within_budget_and_updates(strategy: Strategy, speech: str) -> None:
    budget = Budget.parse(speech)
    rows = corpus()
    bought = budget.buy(rows, 0, lambda utterance: 3.0) if strategy.needs_speech else []
    others = [u for u in rows if u not in bought and u.clip is not None]
    unlabelled = [Unlabelled(f"unlabelled:{u.id}", "de", u.clip) for u in others if u.clip is not None]
    pool = Pool({"de": rows}, {"de": bought}, budget, {"de": unlabelled} if strategy.unlabelled else None)
    cell = exposure(SIZE, SIZE, len(bought), BATCH)
    stages = compose(strategy, pool, cell, 0, stand_in(pool), say_nothing)
    assert stages == compose(strategy, pool, cell, 0, stand_in(pool), say_nothing)
    assert list(beyond_updates(stages, cell)) == []
    assert list(beyond_budget(strategy, stages, pool, cell)) == []


@pytest.mark.parametrize("strategy", REGISTRY.strategies.values(), ids=lambda s: s.name)
def test_a_strategy_says_what_it_is(strategy: Strategy) -> None:
    file = Path(REGISTRY.origin(strategy))
    assert failures([strategy_declared(strategy, file), strategy_readable(strategy, file)]) == []


@pytest.mark.parametrize("task", REGISTRY.tasks.values(), ids=lambda t: t.name)
def test_a_task_learns_and_is_asked_in_languages_of_its_corpus(task: Task) -> None:
    assert failures([task_declared(task)]) == []


@pytest.mark.parametrize("model", REGISTRY.models.values(), ids=lambda m: m.name)
def test_a_model_is_told_whole(model: Model) -> None:
    assert failures([model_declared(model)]) == []
