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
from slubench.train.encoder_cache import TrainedEncoder
from slubench.train.learner import Learner
from slubench.train.read_examples import TrainExample
from slubench.train.tracks import part_of

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
    trainable = sum(parameter.numel() for parameter in learner.learnable.values())
    every = sum(parameter.numel() for parameter in learner.model.parameters())
    report = {
        "name": job.name,
        "model": job.model.name,
        "repository": job.model.repository,
        "revision": job.model.revision,
        "track": job.track,
        "seed": job.seed,
        "recipe": asdict(job.model.recipe(job.track)),
        "stages": [stage.to_json() for stage in job.stages],
        "updates": progress.done,
        "examples": len(examples),
        "clips_heard": progress.clips_heard,
        "clips_unique": len(set(clips)),
        "tokens": progress.tokens,
        "reply_tokens": progress.reply_tokens,
        "flops": estimated_flops(learner, job, progress, len(set(clips))),
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


def estimated_flops(learner: Learner, job: TrainJob, progress: Position, clips_unique: int) -> float:
    """Floating-point operations of a training, estimated from parameters and tokens.

    The usual convention (Kaplan et al. 2020, arXiv 2001.08361, 2.1): a parameter costs 2 a token in the
    forward pass, 2 to pass the gradient on, and 2 more where it learns itself; attention's quadratic part,
    embeddings, projector and optimiser are left out. So full tuning costs 6 a parameter and token, and LoRA
    4 for what is frozen and 6 for what learns, stage by stage where stages train different parts. What an
    objective computes beside one pass over its examples is added, at 2 without gradient. The head counts on
    reply tokens alone. The audio tower counts its whole window: on `full` at 6 for each clip heard, else at 2
    once a clip, since a frozen tower's output does not change; whether it came from an earlier run's cache
    makes no difference here.
    """
    stages = job.stages
    body, read, head, read_head = progress.extra
    total = _flops(learner, (), body, head, 0, 0) + _read(learner, read, read_head)
    if not any(stage.trains for stage in stages):
        heard = progress.clips_heard
        return total + _flops(learner, (), progress.tokens, progress.reply_tokens, heard, clips_unique)
    for number, (tokens, reply_tokens, clips) in enumerate(progress.by_stage):
        # A frozen encoder hears each clip once in all.
        unique = clips_unique if number == 0 else 0
        total += _flops(learner, stages[number].trains, tokens, reply_tokens, clips, unique)
    return total


def _read(learner: Learner, body: int, head: int) -> float:
    """The operations of forward passes alone."""
    embeddings = {id(parameter) for parameter in learner.base.get_input_embeddings().parameters()}
    sizes = [
        sum(one.numel() for one in part.parameters() if id(one) not in embeddings)
        for part in (learner.part("language_model"), learner.part("head"))
    ]
    return float(2 * (sizes[0] * body + sizes[1] * head))


def _flops(
    learner: Learner, trains: Sequence[str], tokens: int, reply_tokens: int, heard: int, unique: int
) -> float:
    """The operations of updates in which some parts learn."""
    learnt = {
        id(parameter)
        for name, parameter in learner.learnable.items()
        if not trains or part_of(name, learner.family) in trains
    }

    def cost(module: Any, skipped: Any = None) -> int:
        outside = {id(parameter) for parameter in skipped.parameters()} if skipped is not None else set()
        return sum(
            (6 if id(parameter) in learnt else 4) * parameter.numel()
            for parameter in module.parameters()
            if id(parameter) not in outside
        )

    language_model = learner.part("language_model")
    body = cost(language_model, skipped=learner.base.get_input_embeddings())
    head = cost(learner.part("head"))
    tower: Any = learner.part("tower")
    positions = learner.family.window_positions(tower.config, learner.declared.max_seconds)
    size = sum(parameter.numel() for parameter in tower.parameters())
    if any(id(parameter) in learnt for parameter in tower.parameters()):
        hearing = 6 * heard
    else:
        # An encoder that learns in another stage is not kept, so that each clip is heard again.
        hearing = 2 * (heard if isinstance(learner.hearing, TrainedEncoder) else unique)
    return float(body * tokens + head * reply_tokens + size * positions * hearing)
