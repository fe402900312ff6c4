"""One update's gradient: the same whatever the micro-batches it is gathered in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from slubench.errors import DataError, MissingError
from slubench.train.batches import Encoded, arrange
from slubench.train.device import bytes_a_token
from slubench.train.examples import Lesson
from slubench.train.learner import Learner
from slubench.train.objectives import Objective, own_loss
from slubench.train.tracks import learning

Autocast = Callable[[], AbstractContextManager[Any]]


@dataclass
class Pace:
    """How much goes through the model at once; no result depends on it.

    Attributes:
        tokens: Most tokens of a micro-batch, padding included.
        checkpointing: Whether activations are made again in the backward pass rather than kept.
    """

    tokens: int
    checkpointing: bool = False

    def slow_down(self, learner: Learner, longest: int) -> bool:
        """Take less memory; False where nothing is left to give up.

        Args:
            learner: Whose checkpointing is switched on first.
            longest: Tokens of the longest example of the update, the least a micro-batch can hold.
        """
        if not self.checkpointing:
            self.checkpointing = True
            enable_checkpointing(learner)
            return True
        if self.tokens <= longest:
            return False
        self.tokens = max(longest, self.tokens // 2)
        return True


def choose_pace(learner: Learner) -> Pace:
    """The pace that memory allows, from free memory on a GPU.

    On a CPU a micro-batch is small enough for its activations to stay in a core's cache: for the embedded
    model 900 tokens took 0.8 of the time of a whole update of 3,000.
    """
    config = learner.base.config
    if not learner.device.is_gpu:
        return Pace(tokens=max(256, 180_000 // config.get_text_config().hidden_size))
    learnt = sum(parameter.numel() for parameter in learning(learner.model).values())
    # Gradient and AdamW's two moments, all in float32, are still to come.
    room = max(0, learner.device.free_bytes() - 12 * learnt) * 6 // 10
    kept = room // bytes_a_token(config, checkpointing=False)
    if kept >= 4096:
        return Pace(tokens=min(kept, 32_768))
    return Pace(tokens=max(512, room // bytes_a_token(config, checkpointing=True)), checkpointing=True)


def enable_checkpointing(learner: Learner) -> None:
    """Trade time for memory in every layer through which gradients flow."""
    learner.base.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})


@dataclass(frozen=True)
class Gathered:
    """What an update's gradient was made of.

    Attributes:
        loss: Mean over the reply tokens of the update, weighted; or the objective's value.
        tokens: Tokens the language model read, padding not counted.
        reply_tokens: Tokens that bore loss.
    """

    loss: float
    tokens: int
    reply_tokens: int


def gather(
    learner: Learner,
    lessons: Sequence[Lesson],
    pace: Pace,
    autocast: Autocast,
    objective: Objective | None = None,
) -> Gathered:
    """Leave the gradient of an update's loss in the parameters' `grad`.

    The loss is the mean over all reply tokens of the update, each example's weighted by its weight. Where
    memory does not suffice, the update begins again at a lower pace.

    Args:
        learner: The model.
        lessons: The update's examples.
        pace: How much goes through at once; changed where memory does not suffice.
        autocast: Gives the context in which forward passes run.
        objective: Called in place of the cross-entropy, see `objectives`.

    Raises:
        DataError: All weights are zero.
        MissingError: One example alone does not fit into memory.
    """
    encoded = learner.encode(lessons)
    longest, total = max(map(len, encoded)), sum(example.weight for example in encoded)
    if not total > 0:
        raise DataError("All examples of an update have weight 0; there is nothing to learn from.")
    rng = learner.device.random_state()
    while (loss := _attempt(learner, arrange(encoded, pace.tokens), total, autocast, objective)) is None:
        if not pace.slow_down(learner, longest):
            raise MissingError(
                f"One example of {longest} tokens does not fit into the memory of {learner.device.name}."
                " Free it of other processes, or take a larger GPU or the track lora-lm."
            )
        learner.device.free_cache()
        learner.device.set_random_state(rng)
    return Gathered(loss, sum(map(len, encoded)), sum(len(example.reply) for example in encoded))


def _attempt(
    learner: Learner,
    micros: Sequence[Sequence[Encoded]],
    total: float,
    autocast: Autocast,
    objective: Objective | None,
) -> float | None:
    """Gather over micro-batches; None where memory did not suffice, nothing of the attempt being kept."""
    learner.model.zero_grad(set_to_none=True)
    losses: list[Tensor] = []
    try:
        for micro in micros:
            with autocast():
                batch = learner.batch(micro)
                if objective is None:
                    loss = learner.reply_loss(batch) / total
                else:
                    share = sum(example.weight for example in micro) / total
                    loss = own_loss(learner, batch, micro, objective) * share
            loss.backward()  # type: ignore[no-untyped-call]
            losses.append(loss.detach())
    except torch.OutOfMemoryError:
        learner.model.zero_grad(set_to_none=True)
        return None
    return float(torch.stack(losses).sum())
