"""The training loop: stages, updates, progress and checkpoints."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator

from slubench.domain.model import Recipe
from slubench.errors import DeclarationError, SlubenchError
from slubench.runtime.jobs import TrainJob
from slubench.train.checkpoints import Checkpoint, Position, save_checkpoint
from slubench.train.interrupts import Stopped, StopRequest
from slubench.train.learner import Learner
from slubench.train.micro_batches import MicroBatches, choose_pace, enable_checkpointing
from slubench.train.objectives import Objective
from slubench.train.progress import TrainProgress
from slubench.train.read_examples import TrainExample
from slubench.train.stage_weights import BASE, StageWeights
from slubench.train.tracks import learning, train_parts
from slubench.train.updates import gather
from slubench.train.validation import Validation


def warmup_steps(recipe: Recipe, updates: int) -> int:
    """The number of warm-up updates of a stage; the rate of the first is 0.

    A stage of one update has none: its only update would be at rate 0, and nothing would be learnt.
    """
    return 0 if updates == 1 else math.ceil(recipe.warmup * updates)


@dataclass
class TrainingLoop:
    """A running training.

    Attributes:
        job: What is trained.
        stages: Its examples, a sequence a stage.
        objectives: Each stage's own loss, or None.
        learner: The model.
        accelerator: Autocast, clipping and trackers.
        display: What is shown.
        stop: Whether to stop after this update.
        progress: How far it has come.
        checkpoint_seconds: Least time between two checkpoints; 0 writes one after each update.
        watching: Looks at what is not learnt, if anything does.
        identity: The job's fingerprint, as a checkpoint at a position bears it.
    """

    job: TrainJob
    stages: Sequence[Sequence[TrainExample]]
    objectives: Sequence[Objective | None]
    learner: Learner
    accelerator: Accelerator
    display: TrainProgress
    stop: StopRequest
    progress: Position
    checkpoint_seconds: float
    watching: Validation | None = None
    identity: Callable[[Position], str] = lambda progress: progress.job
    _optimiser: torch.optim.Optimizer | None = None
    _schedule: Any = None
    _kept: float = field(default_factory=time.monotonic)
    _keeping: float = 0.0

    @property
    def _weights(self) -> StageWeights:
        folder = Path(self.job.folder) / "checkpoints"
        return StageWeights(folder, self.job.stages, self.learner.learnable)

    def restore(self, checkpoint: Checkpoint) -> None:
        """Resume from a checkpoint, whose progress this loop has."""
        with torch.no_grad():
            for name, parameter in self.learner.learnable.items():
                parameter.copy_(checkpoint.weights[name])
        # Where a stage begins its optimiser begins, too.
        if self.progress.update:
            self._begin_stage().load_state_dict(checkpoint.state["optimiser"])
            self._schedule.load_state_dict(checkpoint.state["schedule"])
        checkpoint.restore_random(self.learner.device)

    def run(self) -> None:
        """Train all remaining stages, each with a new optimiser and schedule.

        Raises:
            Stopped: A signal came; a checkpoint was written.
            SlubenchError: The loss or the gradient is not a number.
        """
        pace = choose_pace(self.learner)
        pace.most = self.job.batch_size
        if pace.checkpointing:
            enable_checkpointing(self.learner)
        if not self.progress.done:
            self._weights.keep(BASE)
        while self.progress.stage < len(self.stages):
            stage = self.job.stages[self.progress.stage]
            if self._optimiser is None:
                self._weights.begin(stage)
            if self.job.pauses and self.progress.stage == len(self.stages) - 1:
                self._save(self._begin_stage())
                return
            optimiser = self._optimiser or (self._begin_stage() if stage.updates else None)
            while optimiser is not None and self.progress.update < stage.updates:
                self._update(optimiser, pace)
                self._look(pace)
                self._keep(optimiser)
            self.progress.stage += 1
            self._weights.keep(self.progress.stage)
            self.progress.update = 0
            self._optimiser = None

    def _begin_stage(self) -> torch.optim.Optimizer:
        from transformers import get_scheduler

        recipe = self.job.model.recipe(self.job.track)
        stage = self.job.stages[self.progress.stage]
        train_parts(self.learner.learnable, stage.trains, self.learner.family)
        optimiser = torch.optim.AdamW(
            learning(self.learner.model).values(), lr=stage.rate, weight_decay=recipe.weight_decay, fused=True
        )
        try:
            self._schedule = get_scheduler(
                recipe.schedule,
                optimiser,
                num_warmup_steps=warmup_steps(recipe, stage.updates),
                num_training_steps=stage.updates,
            )
        except ValueError as error:
            raise DeclarationError(
                f"The schedule {recipe.schedule!r} of {self.job.model.name} is unknown to transformers:"
                f" {error}"
            ) from error
        self._optimiser = optimiser
        return optimiser

    def _update(self, optimiser: torch.optim.Optimizer, pace: MicroBatches) -> None:
        begun = time.monotonic()
        progress, recipe = self.progress, self.job.model.recipe(self.job.track)
        first = progress.update * recipe.batch
        examples = self.stages[progress.stage][first : first + recipe.batch]
        objective = self.objectives[progress.stage]
        gathered = gather(self.learner, examples, pace, self.accelerator.autocast, objective)
        self._demand_finite("loss", gathered.loss, examples)
        norm = self.accelerator.clip_grad_norm_(
            list(learning(self.learner.model).values()), recipe.max_grad_norm
        )
        self._demand_finite("gradient", float(norm), examples)
        rate = float(self._schedule.get_last_lr()[0])
        optimiser.step()
        self._schedule.step()
        progress.update += 1
        progress.done += 1
        progress.tokens += gathered.tokens
        progress.reply_tokens += gathered.reply_tokens
        clips = sum(len(example.clips) for example in examples)
        progress.clips_heard += clips
        progress.extra = [a + b for a, b in zip(progress.extra, gathered.extra, strict=True)]
        progress.count(gathered.tokens, gathered.reply_tokens, clips)
        progress.curve.append((progress.done, gathered.loss, rate))
        progress.seconds += time.monotonic() - begun
        figures = {"loss": gathered.loss, "rate": rate, "gradient": float(norm), "stage": progress.stage + 1}
        self.accelerator.log(figures, step=progress.done)
        self.display.show(progress.stage, progress.done, gathered.loss, rate)

    def _look(self, pace: MicroBatches) -> None:
        if self.watching is None or not self.watching.due(self.progress):
            return
        loss = self.watching.look(self.progress, pace)
        self.accelerator.log({"watched loss": loss}, step=self.progress.done)
        self.display.note(f"after update {self.progress.done} the validation loss is {loss:.4f}")

    def _demand_finite(self, what: str, value: float, examples: Sequence[TrainExample]) -> None:
        if math.isfinite(value):
            return
        names = ", ".join(dict.fromkeys(f"{example.utterance} ({example.language})" for example in examples))
        raise SlubenchError(
            f"The {what} of {self.job.name} is {value} in stage {self.progress.stage + 1}, update"
            f" {self.progress.update + 1} (update {self.progress.done + 1} of the run). Check these"
            f" utterances for a broken recording or text, or lower the rate: {names}"
        )

    def _keep(self, optimiser: torch.optim.Optimizer) -> None:
        now = time.monotonic()
        pause = max(self.checkpoint_seconds, 20 * self._keeping) if self.checkpoint_seconds else 0.0
        if self.stop.number or now - self._kept >= pause:
            self._save(optimiser)
            if self.watching is not None:
                self.watching.forget(self.progress)
            self._kept = time.monotonic()
            self._keeping = self._kept - now
        if self.stop.number:
            raise Stopped(self.stop.number)

    def _save(self, optimiser: torch.optim.Optimizer) -> None:
        self.progress.job = self.identity(self.progress)
        save_checkpoint(
            Path(self.job.folder) / "checkpoints",
            self.progress,
            dict(self.learner.learnable),
            optimiser,
            self._schedule,
            self.learner.device,
        )
