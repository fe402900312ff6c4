"""Computes the gradient of an update, independently of the micro-batches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from slubench.errors import DataError, MissingError
from slubench.train.batches import EncodedExample, arrange
from slubench.train.learner import Learner
from slubench.train.micro_batches import MicroBatches
from slubench.train.objective_batch import PassCounts
from slubench.train.objectives import Objective, loss_of
from slubench.train.read_examples import TrainExample
from slubench.train.tracks import learning

Autocast = Callable[[], AbstractContextManager[Any]]


@dataclass(frozen=True)
class Gathered:
    """Statistics of an update's gradient.

    Attributes:
        loss: Mean over the reply tokens of the update, weighted; or the objective's value.
        tokens: Tokens the language model read, padding not counted.
        reply_tokens: Tokens that bore loss.
        extra: Positions that an objective computed beside one pass over the examples: of the language model
            with gradient and without, of the head likewise.
    """

    loss: float
    tokens: int
    reply_tokens: int
    extra: tuple[int, int, int, int] = (0, 0, 0, 0)


def gather(
    learner: Learner,
    examples: Sequence[TrainExample],
    pace: MicroBatches,
    autocast: Autocast,
    objective: Objective | None = None,
) -> Gathered:
    """Accumulate the gradient of an update's loss in the parameters' `grad`.

    The loss is the mean over all reply tokens of the update, each example's weighted by its weight. Where
    memory does not suffice, the update begins again at a lower pace.

    Args:
        learner: The model.
        examples: The update's examples.
        pace: How much goes through at once; changed where memory does not suffice.
        autocast: Gives the context in which forward passes run.
        objective: Called in place of the cross-entropy, see `objectives`.

    Raises:
        DataError: All weights are zero.
        MissingError: One example alone does not fit into memory.
    """
    # Dropout and a strategy's own loss draw random numbers, whose order threads would mix up.
    alone = objective is not None or learner.draws
    learner.device.share_products(pace.threads if alone else 1)
    threads = 1 if alone else pace.threads
    learner.hearing.prepare([clip for example in examples for clip in example.clips], threads)
    encoded = learner.encode(examples)
    longest, total = max(map(len, encoded)), sum(example.weight for example in encoded)
    if not total > 0:
        raise DataError("All examples of an update have weight 0, so nothing can be learned.")
    rng = learner.device.random_state()
    while True:
        micros = arrange(encoded, pace.tokens, pace.most)
        passes: list[PassCounts] = []
        if threads > 1 and len(micros) > 1:
            loss: float | None = _at_once(learner, micros, total, threads)
        else:
            loss = _attempt(learner, micros, total, autocast, objective, passes)
        if loss is not None:
            replies = sum(len(example.reply) for example in encoded)
            return Gathered(loss, sum(map(len, encoded)), replies, _extra(micros, replies, passes))
        if not pace.slow_down(learner, longest):
            raise MissingError(
                f"An example of {longest} tokens does not fit into the memory of "
                f"{learner.device.name}. End other processes on it, or use a larger GPU or the "
                "track lora-lm."
            )
        learner.device.free_cache()
        learner.device.set_random_state(rng)


def _attempt(
    learner: Learner,
    micros: Sequence[Sequence[EncodedExample]],
    total: float,
    autocast: Autocast,
    objective: Objective | None,
    passes: list[PassCounts],
) -> float | None:
    """Accumulate over micro-batches; None, with gradients cleared, if memory ran out.

    Args:
        learner: The model.
        micros: The micro-batches.
        total: The weight of all of them.
        autocast: Gives the context in which forward passes run.
        objective: Called in place of the cross-entropy.
        passes: Takes what the objective computed.
    """
    learner.model.zero_grad(set_to_none=True)
    losses: list[Tensor] = []
    try:
        for micro in micros:
            with autocast():
                if objective is None:
                    loss = learner.reply_loss(learner.batch(micro)) / total
                else:
                    share = sum(example.weight for example in micro) / total
                    own, counts = loss_of(learner, micro, objective)
                    loss = own * share
                    passes.append(counts)
            # Where only the projector or the encoder learns, what is read alone teaches nothing.
            if loss.requires_grad:
                loss.backward()  # type: ignore[no-untyped-call]
            losses.append(loss.detach())
    except torch.OutOfMemoryError:
        learner.model.zero_grad(set_to_none=True)
        return None
    return float(torch.stack(losses).sum())


def _extra(
    micros: Sequence[Sequence[EncodedExample]], replies: int, passes: Sequence[PassCounts]
) -> tuple[int, int, int, int]:
    """What objectives computed beside one pass over the examples, padding included."""
    if not passes:
        return 0, 0, 0, 0
    once = sum(len(micro[0]) * len(micro) for micro in micros)
    body = [sum(one.body[place] for one in passes) for place in (0, 1)]
    head = [sum(one.head[place] for one in passes) for place in (0, 1)]
    return max(body[0] - once, 0), body[1], max(head[0] - replies, 0), head[1]


def _at_once(
    learner: Learner, micros: Sequence[Sequence[EncodedExample]], total: float, threads: int
) -> float:
    """Accumulate over micro-batches on several threads, summed in the order of one thread."""
    parameters = list(learning(learner.model).values())

    def gradients(micro: Sequence[EncodedExample]) -> tuple[Tensor, Sequence[Tensor | None]]:
        loss = learner.reply_loss(learner.batch(micro)) / total
        if not loss.requires_grad:
            return loss, [None] * len(parameters)
        return loss.detach(), torch.autograd.grad(loss, parameters, allow_unused=True)

    learner.model.zero_grad(set_to_none=True)
    losses = []
    with ThreadPoolExecutor(threads) as pool:
        for loss, found in pool.map(gradients, micros):
            losses.append(loss)
            for parameter, gradient in zip(parameters, found, strict=True):
                if parameter.grad is None:
                    parameter.grad = gradient
                elif gradient is not None:
                    parameter.grad += gradient
    return float(torch.stack(losses).sum())
