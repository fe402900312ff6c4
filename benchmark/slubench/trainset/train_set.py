"""Lessons: the examples of each stage in order, known by id before a weight moves (RULES.md)."""

from __future__ import annotations

import hashlib
import itertools
import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from slubench.domain.budget import Budget
from slubench.domain.pool import BudgetError, Pool
from slubench.domain.strategy import SPEECH, TEXT, Example, Stage, Strategy
from slubench.domain.utterance import Clip, Utterance
from slubench.errors import DeclarationError, UsageError


@dataclass(frozen=True)
class Exposure:
    """How much every strategy of a cell may train and hear.

    Attributes:
        batch: Examples an update.
        updates: U = ceil((3 T + S) / batch), for T written and S spoken examples of the pools, those of the
            target language included where the condition on target data opens them.
        heard: H_b = min(3 S_b, S), the clips a mixing strategy hears in all, repeats included.
        unique: S_b, the clips that the budget buys.
    """

    batch: int
    updates: int
    heard: int
    unique: int


def exposure(written: int, spoken: int, bought: int, batch: int) -> Exposure:
    """The exposure of a cell from the sizes of its pools, all in examples."""
    return Exposure(
        batch=batch,
        updates=math.ceil((3 * written + spoken) / batch),
        heard=min(3 * bought, spoken),
        unique=bought,
    )


@dataclass(frozen=True)
class StageExamples:
    """A stage's examples, `updates * batch` of them, in the order they are learnt."""

    stage: Stage
    updates: int
    examples: tuple[Example, ...]


def compose(strategy: Strategy, pool: Pool, cell: Exposure, train_seed: int) -> tuple[StageExamples, ...]:
    """List what a strategy will read and hear.

    Args:
        strategy: Whose stages are filled.
        pool: What the budget allows.
        cell: Updates and clips that the rules give the cell.
        train_seed: Draws the order.

    Raises:
        UsageError: The strategy needs speech and the budget buys none.
        BudgetError: A stage's own `compose` gave an example that is not of the pool.
        DeclarationError: A stage's own `compose` gave no example.
    """
    if strategy.needs_speech and not pool.speech():
        raise needs_speech(strategy, pool.budget)
    updates = stage_updates(strategy, pool, cell)
    mixing = sum(
        count
        for stage, count in zip(strategy.stages, updates, strict=True)
        if stage.learns_from == TEXT | SPEECH and stage.compose is None
    )
    lessons, done, heard = [], 0, 0
    for number, (stage, count) in enumerate(zip(strategy.stages, updates, strict=True)):
        seed = f"{train_seed}:{number}"
        slots = count * cell.batch
        if stage.compose is not None:
            examples = tuple(itertools.islice(_own(strategy, stage, pool, seed), slots))
            count = math.ceil(len(examples) / cell.batch)
            # The last update is filled by beginning again, however few there are.
            examples = tuple(itertools.islice(itertools.cycle(examples), count * cell.batch))
        elif stage.learns_from == TEXT:
            examples = tuple(Example.written(u) for u in _recycled(pool.text(), slots, seed + ":text"))
        elif stage.learns_from == SPEECH:
            examples = tuple(Example.spoken(u) for u in _recycled(pool.speech(), slots, seed + ":speech"))
        else:
            # What all mixing stages hear is shared among them by their updates, without remainder.
            done += count
            until = round(cell.heard * done / mixing)
            examples = _mixed(pool, slots, min(until - heard, slots), seed)
            heard = until
        lessons.append(StageExamples(stage, count, examples))
    return tuple(lessons)


def needs_speech(strategy: Strategy, budget: Budget) -> UsageError:
    """An error for a strategy that learns from speech on a budget that buys none."""
    return UsageError(
        f"{strategy.name} learns from speech and the budget {budget} buys none."
        " Give more with --speech, or run text-only."
    )


def stage_updates(strategy: Strategy, pool: Pool, cell: Exposure) -> list[int]:
    """The updates of each stage: its share of all, or fewer where its `passes` end sooner."""
    updates, share, before = [], 0.0, 0
    for stage in strategy.stages:
        share += stage.share
        until = round(min(share, 1.0) * cell.updates)
        count = max(until - before, 1)
        before = until
        if stage.passes is not None:
            learnt = 0
            if TEXT in stage.learns_from:
                learnt += len(pool.text())
            if SPEECH in stage.learns_from:
                learnt += len(pool.speech())
            count = min(count, max(1, math.ceil(stage.passes * learnt / cell.batch)))
        updates.append(count)
    return updates


def _mixed(pool: Pool, slots: int, heard: int, seed: str) -> tuple[Example, ...]:
    spoken = _recycled(pool.speech(), heard, seed + ":speech")
    written = _recycled(pool.text(), slots - heard, seed + ":text")
    places = sorted(range(slots), key=lambda slot: _rank(f"{seed}:slot", str(slot)))
    speaks = set(places[:heard])
    return tuple(
        Example.spoken(next(spoken)) if slot in speaks else Example.written(next(written))
        for slot in range(slots)
    )


def _recycled(utterances: Sequence[Utterance], count: int, seed: str) -> Iterator[Utterance]:
    """`count` utterances: pass after pass over all of them, each pass in an order of its own."""
    given = 0
    for turn in itertools.count():
        if given >= count:
            return
        if not utterances:
            raise UsageError("The task's pool is empty; there is nothing to learn from.")
        order = sorted(utterances, key=lambda u: _rank(f"{seed}:{turn}", f"{u.language}:{u.key}"))
        yield from order[: count - given]
        given += len(order)


def _rank(seed: str, name: str) -> bytes:
    return hashlib.sha256(f"{seed}:{name}".encode()).digest()


def _own(strategy: Strategy, stage: Stage, pool: Pool, seed: str) -> Iterator[Example]:
    """The examples of a stage's own `compose`, each checked to be of the pool."""
    assert stage.compose is not None
    clips = {u.clip for u in pool.speech()}
    read = {(u.language, u.key) for u in (*pool.text(), *pool.speech())}
    rng = random.Random(int.from_bytes(_rank(seed, "compose")[:8]))
    empty = True
    for example in stage.compose(pool, rng):
        if not isinstance(example, Example):
            raise DeclarationError(
                f"compose of {strategy.name} must yield Example values, not {type(example).__name__}."
            )
        if any(isinstance(part, Clip) and part not in clips for part in example.parts):
            raise BudgetError(
                f"{strategy.name} gave a clip of {example.utterance} that the budget {pool.budget} did not"
                f" buy; pool.speech() holds the {len(clips)} that it did."
            )
        if (example.language, example.utterance) not in read:
            raise BudgetError(
                f"{strategy.name} gave {example.utterance} ({example.language}), not of the pool."
            )
        empty = False
        yield example
    if empty:
        raise DeclarationError(f"compose of {strategy.name} gave no example.")
