"""Every objective that the docs or the shelf show gives a loss on a random model, heard and read."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import pytest

from slubench.registry import Registry, strategy_in
from slubench.train.micro_batches import MicroBatches
from slubench.train.updates import gather
from tests.test_examples import example, shown
from tests.train.training_jobs import TrainingJobs

SHELF = [one for one in Registry().strategies.values() if any(stage.objective for stage in one.stages)]
EXAMPLES = [pytest.param(text, id=place) for place, text in shown() if "objective=" in text]


@pytest.mark.parametrize("shelved", SHELF, ids=lambda one: one.name)
def test_an_objective_of_the_shelf_learns(shelved: object, jobs: TrainingJobs) -> None:
    (function,) = [stage.objective for stage in shelved.stages if stage.objective]  # type: ignore[attr-defined]
    _learns(jobs, function)


@pytest.mark.parametrize("text", EXAMPLES)
def test_an_objective_of_the_docs_learns(text: str, jobs: TrainingJobs, tmp_path: Path) -> None:
    (tmp_path / "shown").mkdir()
    strategy = strategy_in(Path(example(text, tmp_path / "shown")))
    _learns(jobs, next(stage.objective for stage in strategy.stages if stage.objective))


def _learns(jobs: TrainingJobs, function: object) -> None:
    heard = [replace(jobs.spoken(n), transcript=f"wake me at {n}") for n in range(2)]
    examples = [*heard, jobs.written(0)]
    learner = jobs.learner(examples)
    found = gather(learner, examples, MicroBatches(10_000), nullcontext, function)  # type: ignore[arg-type]
    assert found.extra != (0, 0, 0, 0)
    gradients = [one.grad for one in learner.learnable.values() if one.grad is not None]
    assert any(gradient.abs().max() > 0 for gradient in gradients)


def test_there_are_objectives() -> None:
    assert len(SHELF) >= 3
    assert EXAMPLES
