"""Stages that train some parts, that begin from an earlier stage, and that average several."""

from __future__ import annotations

import signal
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from slubench.errors import DeclarationError, SlubenchError
from slubench.runtime.jobs import StageJob, TrainJob
from slubench.train.checkpoints import Position
from slubench.train.interrupts import Stopped
from slubench.train.loop import TrainingLoop
from slubench.train.stage_weights import StageWeights, mean_change
from slubench.train.train import train
from tests.train.training_jobs import TrainingJobs


def staged(jobs: TrainingJobs, name: str, *changes: dict[str, object], track: str = "lora-lm") -> TrainJob:
    """A job of stages of two updates each; one with `updates=0` learns nothing."""
    examples = [[] if one.get("updates") == 0 else jobs.mixed(8) for one in changes]
    job = jobs.job(examples, name, track=track)
    stages = tuple(
        StageJob(**{"updates": 2, "rate": stage.rate, **change})  # type: ignore[arg-type]
        for stage, change in zip(job.stages, changes, strict=True)
    )
    return replace(job, stages=stages)


def kept(folder: Path) -> dict[str, Tensor]:
    return load_file(folder / "adapter_model.safetensors")


def changed_parts(before: dict[str, Tensor], after: dict[str, Tensor]) -> set[str]:
    moved = {name for name in after if not torch.equal(before[name], after[name])}
    return {
        "projector" if "projector" in name else "encoder" if "audio_tower" in name else "lm" for name in moved
    }


@pytest.mark.parametrize("part", ["lm", "projector", "encoder"])
def test_a_stage_changes_the_parts_that_it_trains_and_no_others(jobs: TrainingJobs, part: str) -> None:
    first = staged(jobs, "first", {}, track="lora-all")
    both = staged(jobs, "both", {}, {"trains": (part,)}, track="lora-all")
    assert changed_parts(kept(train(first)), kept(train(both))) == {part}


def test_a_stage_that_starts_from_an_earlier_one_forgets_what_was_learnt_between(jobs: TrainingJobs) -> None:
    alone = kept(train(staged(jobs, "alone", {"rate": 1e-2})))
    again = kept(train(staged(jobs, "again", {"rate": 1e-1}, {"rate": 1e-2, "start": 0})))
    assert alone.keys() == again.keys()
    for name, value in alone.items():
        torch.testing.assert_close(again[name], value, rtol=0, atol=0)


def test_an_average_is_the_mean_of_what_the_stages_changed(jobs: TrainingJobs) -> None:
    one, other = (kept(train(staged(jobs, f"rate-{rate}", {"rate": rate}))) for rate in (1e-2, 3e-2))
    plan: tuple[dict[str, object], ...] = (
        {"rate": 1e-2},
        {"rate": 3e-2, "start": 0},
        {"updates": 0, "average": (1, 2)},
    )
    mean = kept(train(staged(jobs, "mean", *plan)))
    name = next(name for name in mean if name.endswith("q_proj.lora_A.weight"))
    beside = name.replace("lora_A", "lora_B")
    due = (one[beside] @ one[name] + other[beside] @ other[name]) / 2
    got = mean[beside] @ mean[name]
    # Two changes of rank 4 have a mean of rank 8 at most: what is kept is its best part of rank 4.
    left, values, right = torch.linalg.svd(due)
    best = left[:, :4] * values[:4] @ right[:4]
    torch.testing.assert_close(got, best, rtol=1e-4, atol=1e-6)
    assert not torch.allclose(got, one[beside] @ one[name])


def test_the_mean_of_one_training_with_itself_is_that_training() -> None:
    torch.manual_seed(0)
    weights = {"x.lora_A.w": torch.randn(3, 8), "x.lora_B.w": torch.randn(6, 3), "y": torch.randn(2)}
    mean = mean_change([weights, weights])
    torch.testing.assert_close(
        mean["x.lora_B.w"] @ mean["x.lora_A.w"], weights["x.lora_B.w"] @ weights["x.lora_A.w"]
    )
    assert torch.equal(mean["y"], weights["y"])


@pytest.mark.parametrize("update", range(1, 6))
def test_a_run_stopped_anywhere_ends_with_the_same_average(
    jobs: TrainingJobs, monkeypatch: pytest.MonkeyPatch, update: int
) -> None:
    plan: tuple[dict[str, object], ...] = ({"rate": 1e-2}, {"rate": 3e-2, "start": 0}, {"average": (1, 2)})
    whole = kept(train(staged(jobs, "whole", *plan)))
    job = staged(jobs, "stopped", *plan)
    keep = TrainingLoop._keep

    def stop(loop: TrainingLoop, optimiser: torch.optim.Optimizer) -> None:
        if loop.progress.done == update:
            loop.stop.number = signal.SIGTERM
        keep(loop, optimiser)

    with monkeypatch.context() as patch:
        patch.setattr(TrainingLoop, "_keep", stop)
        with pytest.raises(Stopped):
            train(job)
    for name, value in kept(train(job)).items():
        torch.testing.assert_close(value, whole[name], rtol=0, atol=0)


def test_weights_of_a_stage_that_are_gone_are_told_with_the_remedy(
    jobs: TrainingJobs, tmp_path: Path
) -> None:
    stage = StageJob(1, 1.0, start=1)
    with pytest.raises(SlubenchError, match=r"stage 1 in .*stage-01 cannot be read .*Delete"):
        StageWeights(tmp_path, [stage], {}).begin(stage)


def test_a_stage_in_which_nothing_would_learn_is_refused_before_training(jobs: TrainingJobs) -> None:
    job = staged(jobs, "nothing", {"trains": ("projector",)})
    with pytest.raises(DeclarationError, match=r"Stage 1 .* trains projector, .*nothing would be learnt"):
        train(job)


def test_work_is_counted_by_stage() -> None:
    progress = Position("job")
    progress.count(10, 2, 1)
    progress.stage = 2
    progress.count(5, 1, 0)
    progress.count(5, 1, 0)
    assert progress.by_stage == [[10, 2, 1], [0, 0, 0], [10, 2, 0]]


@pytest.mark.parametrize("written", [4, 8])
def test_an_update_of_text_alone_teaches_the_projector_nothing_and_ends(
    jobs: TrainingJobs, written: int
) -> None:
    """Whether a part of the update's micro-batches is read, or all of it."""
    examples = [jobs.written(n) for n in range(written)] + [jobs.spoken(n) for n in range(8 - written)]
    job = jobs.job([examples], track="lora-lm+projector")
    stages = tuple(replace(stage, trains=("projector",)) for stage in job.stages)
    adapter = train(replace(job, stages=stages))
    moved = any(tensor.any() for name, tensor in kept(adapter).items() if "lora_B" in name)
    assert not moved
