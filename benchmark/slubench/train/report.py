"""The report of a training: `training.json` in the adapter's folder."""

from __future__ import annotations

import importlib.metadata
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import slubench
from slubench.runtime.files import write_text
from slubench.runtime.jobs import TrainJob
from slubench.train.checkpoints import Position
from slubench.train.learner import Learner
from slubench.train.read_examples import TrainExample
from slubench.train.tracks import learning

NAME = "training.json"


def write_report(
    folder: Path,
    job: TrainJob,
    learner: Learner,
    stages: Sequence[Sequence[TrainExample]],
    progress: Position,
) -> None:
    """Write `training.json` into `folder`."""
    examples = [example for stage in stages for example in stage]
    clips = [clip for example in examples for clip in example.clips]
    trainable = sum(parameter.numel() for parameter in learning(learner.model).values())
    every = sum(parameter.numel() for parameter in learner.model.parameters())
    report = {
        "name": job.name,
        "model": job.model.name,
        "repository": job.model.repository,
        "revision": job.model.revision,
        "track": job.track,
        "seed": job.seed,
        "recipe": asdict(job.model.recipe(job.track)),
        "stages": [asdict(stage) for stage in job.stages],
        "updates": progress.done,
        "examples": len(examples),
        "clips_heard": progress.clips_heard,
        "clips_unique": len(set(clips)),
        "tokens": progress.tokens,
        "reply_tokens": progress.reply_tokens,
        "flops": estimated_flops(learner, job.track, progress, len(set(clips))),
        "seconds": round(progress.seconds, 3),
        "parameters": every,
        "trainable_parameters": trainable,
        "trainable_share": trainable / every,
        "device": learner.device.name,
        "dtype": str(learner.device.dtype).removeprefix("torch."),
        "peak_memory_bytes": learner.device.peak_bytes(),
        "versions": versions(),
        "curve": [{"update": u, "loss": loss, "rate": rate} for u, loss, rate in progress.curve],
    }
    if progress.watched:
        report["watched"] = [{"update": update, "loss": loss} for update, loss in progress.watched]
        report["kept"] = progress.best if job.keeps_best else progress.done
    write_text(folder / NAME, json.dumps(report, indent=1))


def versions() -> dict[str, str]:
    """Versions of the libraries that the result depends on."""
    names = ("torch", "transformers", "peft", "accelerate")
    return {"slubench": slubench.__version__, **{name: importlib.metadata.version(name) for name in names}}


def estimated_flops(learner: Learner, track: str, progress: Position, clips_unique: int) -> float:
    """Floating-point operations of a training, estimated from parameters and tokens.

    The usual convention (Kaplan et al. 2020, arXiv 2001.08361, 2.1): a parameter costs 2 a token in the
    forward pass, 2 to pass the gradient on, and 2 more where it learns itself; attention's quadratic part,
    embeddings, projector and optimiser are left out. So full tuning costs 6 a parameter and token, and LoRA
    4 for what is frozen and 6 for what learns. The head counts on reply tokens alone. The audio tower counts
    its whole window: on `full` at 6 for each clip heard, else at 2 once a clip, since a frozen tower's output
    does not change; whether it came from an earlier run's cache makes no difference here.
    """
    learnt = learning(learner.model)

    def cost(module: Any, skipped: Any = None) -> int:
        outside = {id(parameter) for parameter in skipped.parameters()} if skipped is not None else set()
        return sum(
            (6 if parameter.requires_grad else 4) * parameter.numel()
            for parameter in module.parameters()
            if id(parameter) not in outside
        )

    language_model = learner.part("language_model")
    body = cost(language_model, skipped=learner.base.get_input_embeddings())
    head = cost(learner.part("head"))
    tower: Any = learner.part("tower")
    positions = learner.family.window_positions(tower.config, learner.declared.max_seconds)
    size = sum(parameter.numel() for parameter in tower.parameters())
    tower_learns = any(learner.family.parts.tower in name for name in learnt)
    hearing = 6 * progress.clips_heard if tower_learns else 2 * clips_unique
    return float(body * progress.tokens + head * progress.reply_tokens + size * positions * hearing)
