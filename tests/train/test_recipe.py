"""What a recipe declares reaches the training: warm-up, weight decay, dropout, rates."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from slubench.train.train import train
from tests.train.training_jobs import BATCH, TrainingJobs


def trained(jobs: TrainingJobs, updates: int, name: str = "job", **recipe: Any) -> Path:
    """The adapter of a stage of so many updates under a changed recipe."""
    declared = replace(jobs.model.recipe("lora-lm"), **recipe)
    job = jobs.job([jobs.mixed(BATCH) * updates], name)
    return train(replace(job, model=replace(jobs.model, recipes={"lora-lm": declared})))


def rates(adapter: Path) -> list[float]:
    return [point["rate"] for point in json.loads((adapter / "training.json").read_text())["curve"]]


def weights(adapter: Path) -> dict[str, torch.Tensor]:
    found: dict[str, torch.Tensor] = load_file(adapter / "adapter_model.safetensors")
    return found


@pytest.mark.parametrize("schedule", ["linear", "cosine"])
@pytest.mark.parametrize("updates", [1, 2, 3, 500])
def test_no_stage_is_without_learning(updates: int, schedule: str, jobs: TrainingJobs) -> None:
    """lora_B begins at zero, and is moved by any update at a rate above 0."""
    adapter = trained(jobs, updates, warmup=0.05, schedule=schedule)
    assert max(rates(adapter)) > 0
    assert all(tensor.abs().max() > 0 for name, tensor in weights(adapter).items() if "lora_B" in name)


def test_the_rate_rises_over_the_declared_warmup(jobs: TrainingJobs) -> None:
    warmed = rates(trained(jobs, 20, "warmed", warmup=0.25, schedule="linear", rate=1e-2))
    assert warmed[:6] == pytest.approx([0, 0.002, 0.004, 0.006, 0.008, 0.01])
    assert warmed[5:] == sorted(warmed[5:], reverse=True)
    cold = rates(trained(jobs, 20, "cold", warmup=0.0, schedule="linear", rate=1e-2))
    assert cold[0] == pytest.approx(1e-2)


@pytest.mark.parametrize("updates", [2, 3, 7, 500])
def test_where_a_stage_learns_anyhow_its_warmup_is_as_ever(updates: int, jobs: TrainingJobs) -> None:
    from slubench.train.loop import warmup_steps

    recipe = replace(jobs.model.recipe("lora-lm"), warmup=0.05)
    assert warmup_steps(recipe, updates) == math.ceil(0.05 * updates)


def test_declared_weight_decay_reaches_the_optimiser(jobs: TrainingJobs) -> None:
    """At a rate of 0.01 and a decay of 50 each update halves what it finds."""
    plain = weights(trained(jobs, 4, "plain", schedule="constant"))
    decayed = weights(trained(jobs, 4, "decayed", schedule="constant", weight_decay=50.0))
    for name in plain:
        if "lora_A" in name:
            assert decayed[name].norm() < 0.3 * plain[name].norm()


def test_declared_dropout_reaches_the_adapter(jobs: TrainingJobs) -> None:
    dropped = replace(jobs.model.recipe("lora-lm"), dropout=0.25)
    changed = replace(jobs, model=replace(jobs.model, recipes={"lora-lm": dropped}))
    found = [
        module.p
        for name, module in changed.learner(changed.mixed(BATCH)).model.named_modules()
        if "lora_dropout" in name and isinstance(module, torch.nn.Dropout)
    ]
    assert found
    assert set(found) == {0.25}
