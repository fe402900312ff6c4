"""Finds, calls and checks a strategy's own loss.

`objective(model, batch) -> loss` takes the place of the cross-entropy on the reply in its stage. `model` is
the `PeftModel` (on the track `full` the model itself), in training mode and under autocast on a GPU. `batch`
is a `slubench.train.objective_batch.ObjectiveBatch`; docs/strategies.md lists its fields with their shapes.

The loss must be a scalar: a mean over the micro-batch's reply tokens, weighted, as the cross-entropy is. An
update weighs its micro-batches by their reply tokens, so that for such a mean nothing depends on their size.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from slubench.errors import DeclarationError, SlubenchError
from slubench.runtime.jobs import TrainJob
from slubench.train.batches import EncodedExample
from slubench.train.learner import Learner
from slubench.train.objective_batch import ObjectiveBatch, PassCounts, counted
from slubench.train.read_examples import TrainExample

Objective = Callable[[Any, ObjectiveBatch], Tensor]

CONTRACT = "objective(model, batch) must return a scalar tensor that depends on what learns"
TRIED = 2
"""Examples on which every objective is tried before the first update."""


@dataclass(frozen=True)
class StageObjective:
    """A stage's own loss, and what messages call it.

    Attributes:
        function: The strategy's function.
        where: Strategy and stage, as in `mine, stage 2`.
    """

    function: Objective
    where: str

    def __call__(self, model: Any, batch: ObjectiveBatch) -> Tensor:
        """The loss of a micro-batch."""
        return self.function(model, batch)


def find_objectives(job: TrainJob) -> tuple[Objective | None, ...]:
    """Each stage's own loss, or None.

    Raises:
        DeclarationError: The strategy's stage has no objective though the job says so.
    """
    if not any(stage.objective for stage in job.stages):
        return tuple(None for _ in job.stages)
    from slubench.registry import Registry, strategy_in

    file = Path(job.strategy)
    strategy = strategy_in(file) if file.is_file() else Registry(Path(job.home)).strategy(job.strategy)
    found: list[Objective | None] = []
    for number, stage in enumerate(job.stages):
        own = strategy.stages[number].objective if number < len(strategy.stages) else None
        if stage.objective and own is None:
            raise DeclarationError(
                f"Stage {number} of {job.strategy} has no objective, but the run was planned with one. The"
                " strategy has changed; run it again."
            )
        told = f"{strategy.name}, stage {number + 1}"
        found.append(StageObjective(own, told) if stage.objective and own else None)
    return tuple(found)


def try_objectives(
    learner: Learner,
    stages: Sequence[Sequence[TrainExample]],
    objectives: Sequence[Objective | None],
    autocast: Callable[[], Any],
) -> None:
    """Call every objective on a few examples of its stage, so that its faults are told before any update.

    Neither weights nor random numbers change.

    Raises:
        DeclarationError: An objective fails, or returns no loss.
    """
    state = learner.device.random_state()
    for examples, objective in zip(stages, objectives, strict=True):
        if objective is None or not examples:
            continue
        # What is heard is the likelier to be treated apart.
        some = sorted(examples[: 8 * TRIED], key=lambda one: not one.clips)[:TRIED]
        encoded = learner.encode(some)
        with autocast():
            own_loss(learner, ObjectiveBatch.of(learner, encoded), objective)
    learner.model.zero_grad(set_to_none=True)
    learner.device.set_random_state(state)


def loss_of(
    learner: Learner, micro: Sequence[EncodedExample], objective: Objective
) -> tuple[Tensor, PassCounts]:
    """Call a strategy's own loss on a micro-batch; tells what it computed beside.

    Raises:
        DeclarationError: It fails, or does not return a scalar tensor that depends on what learns.
    """
    batch = ObjectiveBatch.of(learner, micro)
    with counted(learner) as counts:
        return own_loss(learner, batch, objective), counts


def own_loss(learner: Learner, batch: ObjectiveBatch, objective: Objective) -> Tensor:
    """Call a strategy's own loss on a batch.

    Raises:
        DeclarationError: It fails, or does not return a scalar tensor that depends on what learns.
    """
    where, file = _where(objective)
    try:
        loss = objective(learner.model, batch)
    except (SlubenchError, torch.OutOfMemoryError):
        raise
    except Exception as error:
        raise DeclarationError(f"{where} failed, {_place(error, file)}. {CONTRACT}.") from error
    if not isinstance(loss, Tensor) or loss.ndim:
        shape = f" of shape {tuple(loss.shape)}" if isinstance(loss, Tensor) else ""
        raise DeclarationError(
            f"{where} returned a {type(loss).__name__}{shape}; {CONTRACT}, such as a mean."
        )
    if not torch.isfinite(loss.detach()):
        names = ", ".join(dict.fromkeys(one.utterance for one in batch.examples))
        raise DeclarationError(
            f"{where} returned {float(loss.detach())} on {names[:200]}; {CONTRACT} and is a number. Look"
            " for a division by 0, a logarithm of 0, or a mean over nothing."
        )
    if not loss.requires_grad and learner.reply_loss(batch).requires_grad:
        raise DeclarationError(
            f"{where} returned a loss without gradient; {CONTRACT}. Look for torch.no_grad, detach, item, or"
            " a new tensor made of numbers."
        )
    return loss


def _where(objective: Objective) -> tuple[str, str]:
    """What messages call an objective, and its file."""
    function = objective.function if isinstance(objective, StageObjective) else objective
    told = objective.where if isinstance(objective, StageObjective) else "a stage"
    code = getattr(function, "__code__", None)
    file = str(code.co_filename) if code is not None else ""
    line = f", line {code.co_firstlineno}" if code is not None else ""
    name = getattr(function, "__name__", "objective")
    return f"objective of {told} ({Path(file).name}{line}, {name})", file


def _place(error: Exception, file: str) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    line = next((frame.lineno for frame in reversed(frames) if frame.filename == file), None)
    return f"line {line}: {type(error).__name__}: {error}"[:1_000].rstrip(".")
