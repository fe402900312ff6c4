"""A run whose stages ask the model is trained by several jobs, and ends as if it were one."""

from __future__ import annotations

import json
import signal
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from slubench.runtime.jobs import StageJob, TrainJob
from slubench.train.interrupts import Stopped
from slubench.train.loop import TrainingLoop
from slubench.train.train import train
from tests.train.training_jobs import TrainingJobs


def jobs_of_a_run(jobs: TrainingJobs, name: str) -> tuple[TrainJob, TrainJob]:
    """The job up to the second stage, which asks, and the job of the whole run."""
    first, second = jobs.mixed(8), jobs.mixed(12)
    whole = replace(jobs.job([first, second], name), asks=True)
    pause = jobs.job([first, []], f"{name}-pause")
    pause = replace(
        pause,
        folder=whole.folder,
        stages=(whole.stages[0], StageJob(0, whole.stages[1].rate)),
        asks=True,
        pauses=True,
    )
    return pause, whole


def same(one: Path, other: Path) -> None:
    weights = load_file(one / "adapter_model.safetensors")
    for name, value in load_file(other / "adapter_model.safetensors").items():
        assert torch.equal(value, weights[name]), name


def test_a_run_that_asks_ends_as_one_that_does_not(jobs: TrainingJobs) -> None:
    plain = train(jobs.job([jobs.mixed(8), jobs.mixed(12)], "plain"))
    pause, whole = jobs_of_a_run(jobs, "asks")
    asked = train(pause)
    first = train(jobs.job([jobs.mixed(8)], "first"))
    same(asked, first)
    assert (Path(whole.folder) / "checkpoints").is_dir()
    adapter = train(whole)
    same(adapter, plain)
    assert not (Path(whole.folder) / "checkpoints").exists()
    report = json.loads((adapter / "training.json").read_text("utf-8"))
    assert [point["update"] for point in report["curve"]] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("update", range(1, 6))
def test_killed_anywhere_it_goes_on(jobs: TrainingJobs, monkeypatch: pytest.MonkeyPatch, update: int) -> None:
    plain = train(jobs.job([jobs.mixed(8), jobs.mixed(12)], "plain"))
    pause, whole = jobs_of_a_run(jobs, "asks")
    keep, done = TrainingLoop._keep, []

    def stop(loop: TrainingLoop, optimiser: torch.optim.Optimizer) -> None:
        done.append(loop.progress.done)
        if loop.progress.done == update and done.count(update) == 1:
            loop.stop.number = signal.SIGTERM
        keep(loop, optimiser)

    monkeypatch.setattr(TrainingLoop, "_keep", stop)
    for job in (pause, whole):
        try:
            train(job)
        except Stopped:
            train(job)
    assert done == [1, 2, 3, 4, 5]
    same(Path(whole.adapter), plain)


def test_a_checkpoint_of_other_replies_is_not_taken_for_this_one_s(jobs: TrainingJobs) -> None:
    pause, _ = jobs_of_a_run(jobs, "asks")
    train(pause)
    other = replace(jobs.job([jobs.mixed(12)[4:], jobs.mixed(12)], "other"), folder=pause.folder, asks=True)
    plain = train(jobs.job([jobs.mixed(12)[4:], jobs.mixed(12)], "plain"))
    same(train(other), plain)
