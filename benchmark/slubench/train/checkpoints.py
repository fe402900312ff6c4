"""Checkpoints, from which a run resumes as if it had never been interrupted.

A checkpoint is a folder that appears whole, by a rename. The last two are kept: should the newest be
unreadable, the one before it serves.
"""

from __future__ import annotations

import json
import os
import random
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from slubench.train.device import Device

KEPT = 2


@dataclass
class Position:
    """The progress of a run.

    Attributes:
        job: Fingerprint of the job, so that another job's checkpoint is never taken for this one's.
        stage: The stage at work.
        update: Updates done within it.
        done: Updates done in all.
        seconds: Seconds spent so far, earlier attempts included.
        tokens: Tokens read by the language model, padding not counted.
        reply_tokens: Tokens that bore loss.
        clips_heard: Clips heard, repeats included.
        curve: (update, loss, rate) of every update.
        watched: (update, loss) of every look at what is watched.
        extra: Positions that objectives computed beside, see `slubench.train.updates.Gathered`.
        by_stage: Tokens, reply tokens and clips heard of each stage, for stages that train different parts.
    """

    job: str
    stage: int = 0
    update: int = 0
    done: int = 0
    seconds: float = 0.0
    tokens: int = 0
    reply_tokens: int = 0
    clips_heard: int = 0
    curve: list[tuple[int, float, float]] = field(default_factory=list)
    watched: list[tuple[int, float]] = field(default_factory=list)
    extra: list[int] = field(default_factory=lambda: [0, 0, 0, 0])
    by_stage: list[list[int]] = field(default_factory=list)

    def count(self, tokens: int, reply_tokens: int, clips: int) -> None:
        """Count an update's work for its stage."""
        while len(self.by_stage) <= self.stage:
            self.by_stage.append([0, 0, 0])
        for place, amount in enumerate((tokens, reply_tokens, clips)):
            self.by_stage[self.stage][place] += amount

    @property
    def best(self) -> int:
        """The first update with the lowest validation loss; 0 before any validation."""
        return min(self.watched, key=lambda look: look[1], default=(0, 0.0))[0]


def save_checkpoint(
    folder: Path,
    progress: Position,
    weights: dict[str, Tensor],
    optimiser: Any,
    schedule: Any,
    device: Device,
) -> None:
    """Write a checkpoint into `folder` and remove all but the last two.

    Checkpoints of later updates are of another job, or could not be read; they go, too.
    """
    folder.mkdir(parents=True, exist_ok=True)
    remove_unfinished(folder)
    final = folder / f"{progress.done:08d}"
    temporary = folder / f".{final.name}.{os.getpid()}.tmp"
    temporary.mkdir()
    save_file({name: tensor.detach().contiguous() for name, tensor in weights.items()}, temporary / "weights")
    state = {
        "optimiser": optimiser.state_dict(),
        "schedule": schedule.state_dict(),
        "torch": device.random_state(),
        "python": random.getstate(),
        "numpy": _numpy_state(),
    }
    torch.save(state, temporary / "state.pt")
    (temporary / "progress.json").write_text(json.dumps(asdict(progress)), "utf-8")
    for file in temporary.iterdir():
        _sync(file)
    shutil.rmtree(final, ignore_errors=True)
    temporary.rename(final)
    kept = [path for path in _checkpoints(folder) if path.name <= final.name][-KEPT:]
    for path in _checkpoints(folder):
        if path not in kept:
            shutil.rmtree(path, ignore_errors=True)


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint that was read.

    Attributes:
        progress: How far the run had come.
        weights: What learns, by parameter name.
        state: State of optimiser, schedule and random generators.
    """

    progress: Position
    weights: dict[str, Tensor]
    state: dict[str, Any]

    def restore_random(self, device: Device) -> None:
        """Restore the random generators."""
        device.set_random_state(self.state["torch"])
        random.setstate(self.state["python"])
        name, keys, *rest = self.state["numpy"]
        np.random.set_state((name, np.array(keys, dtype=np.uint32), *rest))


def load_checkpoint(folder: Path, job: Callable[[Position], str]) -> Checkpoint | None:
    """The newest readable checkpoint of the job, or None.

    Args:
        folder: Where checkpoints are.
        job: The job's fingerprint, as a checkpoint at a position bears it.
    """
    for path in reversed(_checkpoints(folder)):
        try:
            content = json.loads((path / "progress.json").read_text("utf-8"))
            content["curve"] = [tuple(point) for point in content["curve"]]
            content["watched"] = [tuple(look) for look in content.get("watched", [])]
            progress = Position(**content)
            if progress.job != job(progress):
                continue
            state = torch.load(path / "state.pt", map_location="cpu", weights_only=True)
            return Checkpoint(progress, load_file(path / "weights"), state)
        except Exception:  # whatever a torn file raises, an older checkpoint or a fresh start mends it
            continue
    return None


def remove_unfinished(folder: Path) -> None:
    """Remove partial files of a killed process."""
    for path in folder.glob(".*.tmp"):
        shutil.rmtree(path, ignore_errors=True)


def _checkpoints(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("[0-9]*") if path.is_dir())


def _numpy_state() -> tuple[Any, ...]:
    name, keys, *rest = np.random.get_state(legacy=True)
    return name, [int(key) for key in keys], *rest


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
