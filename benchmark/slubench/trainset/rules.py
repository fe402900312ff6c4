"""Checks a training set against the rules: updates, clips and clip exposures (RULES.md)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from slubench.domain.pool import Pool
from slubench.domain.strategy import Strategy
from slubench.trainset.ledger import consumption
from slubench.trainset.train_set import Exposure, StageExamples, most_heard, stage_sizes


def beyond_updates(train_set: Sequence[StageExamples], cell: Exposure) -> Iterator[str]:
    """Problems with the number of updates."""
    updates = sum(stage.updates for stage in train_set)
    if updates > cell.updates:
        yield f"{updates} updates, but the rules give {cell.updates}"
    for number, stage in enumerate(train_set, 1):
        if math.ceil(len(stage.examples) / cell.batch) != stage.updates:
            yield (
                f"stage {number} has {len(stage.examples)} examples"
                f" in {stage.updates} updates of {cell.batch}"
            )


def beyond_stages(
    strategy: Strategy, train_set: Sequence[StageExamples], pool: Pool, cell: Exposure
) -> Iterator[str]:
    """Problems with the sizes of stages, which may only be smaller than declared with `compose`."""
    due = stage_sizes(strategy, pool, cell)
    for number, (stage, size) in enumerate(zip(train_set, due, strict=True), 1):
        own = stage.stage.compose is not None
        if len(stage.examples) > size.examples or (not own and len(stage.examples) != size.examples):
            yield (
                f"stage {number} has {stage.updates} updates ({len(stage.examples)} examples), but the rules"
                f" give {math.ceil(size.examples / cell.batch)} ({size.examples})"
            )


def beyond_budget(
    strategy: Strategy, train_set: Sequence[StageExamples], pool: Pool, cell: Exposure
) -> Iterator[str]:
    """Problems with the clips used.

    A strategy that mixes hears H_b clips in all, one that only listens at most 20 times what it bought.
    """
    taken = consumption(train_set)
    heard = taken.heard
    bought = {utterance.clip for utterance in pool.speech()}
    unlabelled = {one.clip for part in (pool.unbought or {}).values() for one in part}
    strangers = {clip for _, _, clip in heard} - bought
    strangers |= {clip for _, _, clip in taken.unlabelled} - unlabelled
    if strangers:
        yield f"{len(strangers)} clips used that are not in the budget {pool.budget}"
    most = most_heard(strategy, pool, cell)
    if heard.total() > most:
        yield f"{heard.total()} clip exposures, but the rules give {most}"
