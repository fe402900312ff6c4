"""Validation: the loss on held-out examples, and the weights with the lowest one."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import nn

from slubench.errors import SlubenchError
from slubench.runtime.files import replacing
from slubench.runtime.jobs import TrainJob
from slubench.train.batches import EncodedExample, arrange
from slubench.train.checkpoints import Position
from slubench.train.learner import Learner
from slubench.train.micro_batches import MicroBatches
from slubench.train.read_examples import TrainExample

LOOKS = 10
"""Validation takes place after every tenth of a run's updates, and at the end of each stage."""


@dataclass
class Validation:
    """Validates a run, without any effect on its training.

    Attributes:
        job: What is trained.
        examples: What is looked at.
        learner: The model.
        autocast: Gives the context in which forward passes run.
        folder: Where the weights of the least loss are kept, where the job wants them.
    """

    job: TrainJob
    examples: Sequence[TrainExample]
    learner: Learner
    autocast: Callable[[], AbstractContextManager[Any]]
    folder: Path
    _encoded: list[EncodedExample] = field(default_factory=list)

    def due(self, progress: Position) -> bool:
        """Whether validation is due after the last update."""
        stage = self.job.stages[progress.stage]
        every = math.ceil(sum(stage.updates for stage in self.job.stages) / LOOKS)
        return progress.done % every == 0 or progress.update == stage.updates

    def look(self, progress: Position, pace: MicroBatches) -> float:
        """Record the validation loss, and save the weights if it is the lowest.

        Returns:
            The mean cross-entropy over all reply tokens that are watched.

        Raises:
            SlubenchError: It is not a number.
        """
        loss = self._loss(pace)
        if not math.isfinite(loss):
            raise SlubenchError(
                f"The validation loss of {self.job.name} is {loss} after update {progress.done}. Check the"
                f" validation examples in {self.job.watched} for a broken recording, or train"
                " with --selection last."
            )
        best = min((before for _, before in progress.watched), default=math.inf)
        progress.watched.append((progress.done, loss))
        if self.job.keeps_best and loss < best:
            weights = self.learner.learnable
            with replacing(self._kept(progress.done)) as temporary:
                save_file({name: tensor.detach().contiguous() for name, tensor in weights.items()}, temporary)
        return loss

    def forget(self, progress: Position) -> None:
        """Remove saved weights that no checkpoint needs."""
        wanted = self._kept(progress.best)
        for path in self.folder.glob("best-*"):
            if path != wanted:
                path.unlink(missing_ok=True)

    def restore_best(self, progress: Position) -> None:
        """Load the weights with the lowest loss."""
        kept = load_file(self._kept(progress.best))
        with torch.no_grad():
            for name, parameter in self.learner.learnable.items():
                parameter.copy_(kept[name])

    def _kept(self, update: int) -> Path:
        return self.folder / f"best-{update:08d}"

    def _loss(self, pace: MicroBatches) -> float:
        learner = self.learner
        learner.device.share_products(pace.threads)
        learner.hearing.prepare([clip for example in self.examples for clip in example.clips], pace.threads)
        self._encoded = self._encoded or learner.encode(self.examples)
        total = 0.0
        with _as_answering(learner.model), torch.no_grad():
            for micro in arrange(self._encoded, pace.tokens, pace.most):
                with self.autocast():
                    total += float(learner.reply_loss(learner.batch(micro)))
        return total / sum(example.weight for example in self._encoded)


@contextmanager
def _as_answering(model: nn.Module) -> Iterator[None]:
    """Turn dropout off, then restore each part's mode, since a frozen encoder never has dropout."""
    learnt = [module for module in model.modules() if module.training]
    model.eval()
    try:
        yield
    finally:
        for module in learnt:
            module.training = True
