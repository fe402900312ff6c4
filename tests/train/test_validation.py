"""Looks at what is not learnt: they change nothing, are noted, and the oracle keeps the best weights."""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from slubench.errors import DataError
from slubench.runtime.jobs import TrainJob
from slubench.train.interrupts import Stopped
from slubench.train.micro_batches import choose_pace
from slubench.train.read_examples import TrainExample
from slubench.train.train import train
from slubench.train.updates import gather
from slubench.train.validation import Validation
from tests.train.test_train import report, weights
from tests.train.training_jobs import TrainingJobs


def watching(
    jobs: TrainingJobs, stages: Sequence[Sequence[TrainExample]], name: str, *, keeps_best: bool = False
) -> TrainJob:
    """A job with dropout that looks at two examples of its own first stage."""
    recipe = replace(jobs.model.recipe("lora-lm"), dropout=0.1)
    job = jobs.job(stages, name, keeps_best=keeps_best)
    seen = jobs.job([list(stages[0][:2])], f"{name}-watched").examples
    return replace(job, watched=seen, model=replace(jobs.model, recipes={"lora-lm": recipe}))


def unlearning(jobs: TrainingJobs) -> list[list[TrainExample]]:
    """A stage of thirty updates that learns two examples and one of ten that unlearns them."""
    right = [jobs.written(0), jobs.spoken(1)]
    wrong = [replace(example, target='{"z":"nothing of that"}') for example in right]
    return [right * 60, wrong * 20]


def test_who_is_looked_at_learns_the_same(jobs: TrainingJobs) -> None:
    stages = [jobs.mixed(24), jobs.mixed(16)]
    looked_at = watching(jobs, stages, "looked-at")
    alone = replace(looked_at, watched="", adapter=str(jobs.folder / "alone" / "adapter"))
    alone = replace(alone, folder=str(jobs.folder / "alone" / "work"))
    one, other = train(looked_at), train(alone)
    assert all(torch.equal(tensor, weights(other)[name]) for name, tensor in weights(one).items())
    assert [p["loss"] for p in report(one)["curve"]] == [p["loss"] for p in report(other)["curve"]]
    # Ten updates in all, one look after each; the sixth ends a stage.
    assert [look["update"] for look in report(one)["watched"]] == list(range(1, 11))
    assert report(one)["kept"] == 10
    assert "watched" not in report(other)


def test_the_loss_is_the_mean_over_reply_tokens_without_dropout(jobs: TrainingJobs) -> None:
    examples = jobs.mixed(4)
    learner = jobs.learner(examples)
    job = jobs.job([examples], "looked")
    looks = Validation(job, examples, learner, torch.no_grad, jobs.folder)
    pace = choose_pace(learner)
    trained = {name: module.training for name, module in learner.model.named_modules()}
    loss = looks._loss(pace)
    assert loss == looks._loss(pace)
    assert {name: module.training for name, module in learner.model.named_modules()} == trained
    assert loss == pytest.approx(gather(learner, examples, pace, torch.enable_grad).loss, rel=1e-5)


def test_looks_go_to_tensorboard(jobs: TrainingJobs) -> None:
    from tensorboard.backend.event_processing.event_accumulator import (  # type: ignore[import-untyped]
        EventAccumulator,
    )

    job = watching(jobs, [jobs.mixed(16)], "drawn")
    adapter = train(job)
    (folder,) = {path.parent for path in Path(job.folder, "tensorboard").rglob("events*")}
    events = EventAccumulator(str(folder))
    events.Reload()
    drawn = [(event.step, event.value) for event in events.Scalars("watched loss")]
    noted = [(look["update"], look["loss"]) for look in report(adapter)["watched"]]
    assert [step for step, _ in drawn] == [step for step, _ in noted]
    assert [value for _, value in drawn] == pytest.approx([value for _, value in noted])


def test_the_oracle_keeps_the_weights_of_the_least_loss(jobs: TrainingJobs) -> None:
    job = watching(jobs, unlearning(jobs), "oracle", keeps_best=True)
    adapter = train(job)
    looks = {look["update"]: look["loss"] for look in report(adapter)["watched"]}
    kept = report(adapter)["kept"]
    assert looks[kept] == min(looks.values()) < looks[40]
    assert kept <= 32
    last = train(watching(jobs, unlearning(jobs), "last"))
    assert any(not torch.equal(tensor, weights(last)[name]) for name, tensor in weights(adapter).items())
    assert not (Path(job.folder) / "checkpoints").exists()


@pytest.mark.parametrize("update", [5, 37])
def test_stopped_it_keeps_what_it_would_have_kept(
    jobs: TrainingJobs, monkeypatch: pytest.MonkeyPatch, update: int
) -> None:
    """Before the least loss, and after it."""
    job = watching(jobs, unlearning(jobs), "stopped", keeps_best=True)
    left = update

    def interrupted(*arguments: object) -> object:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGTERM)
        return gather(*arguments)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr("slubench.train.loop.gather", interrupted)
        with pytest.raises(Stopped):
            train(job)
    kept = sorted(path.name for path in (Path(job.folder) / "checkpoints").glob("best-*"))
    assert len(kept) == 1
    whole = train(watching(jobs, unlearning(jobs), "whole", keeps_best=True))
    resumed = train(job)
    assert report(resumed)["kept"] == report(whole)["kept"]
    losses = [[look["loss"] for look in report(adapter)["watched"]] for adapter in (whole, resumed)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)
    for name, tensor in weights(whole).items():
        assert torch.allclose(tensor, weights(resumed)[name], rtol=1e-5, atol=1e-7), name


def test_what_is_watched_must_be_there(jobs: TrainingJobs) -> None:
    job = replace(jobs.job([jobs.mixed(4)], "torn"), watched=str(jobs.folder / "nowhere.parquet"))
    with pytest.raises(DataError, match=r"nowhere\.parquet cannot be read"):
        train(job)
