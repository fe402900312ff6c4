"""Composes a training set: the examples of each stage in order, before any training (RULES.md)."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from slubench.domain.budget import Budget
from slubench.domain.pool import BudgetError, Pool, PredictionsWanted, SpeechWanted
from slubench.domain.strategy import SPEECH, TEXT, Example, Strategy
from slubench.domain.utterance import SpokenClip, whole_clip
from slubench.errors import DeclarationError, UsageError, shown
from slubench.trainset.exposure import Exposure, StageExamples, exposure, paid_clips
from slubench.trainset.order import rank, recycled
from slubench.trainset.own_examples import own_examples

__all__ = ["Exposure", "StageExamples", "StageSize", "compose", "exposure", "most_heard", "needs_speech"]

PASSES = 20
"""The maximum number of passes of a strategy that trains on speech only."""


@dataclass(frozen=True)
class StageSize:
    """How large a stage is.

    Attributes:
        examples: So many, where the stage has no `compose` of its own; else at most so many.
        clips: So many of them are heard; of a `compose`, this is kept free for it by the other stages.
    """

    examples: int
    clips: int


Predictor: TypeAlias = Callable[[int, Sequence[StageExamples], Sequence[Example]], Mapping[Example, str]]
"""Gives the replies of the model at the start of a stage: from the stage's number from 0, the examples of the
stages before it, and what is asked."""
Speaker: TypeAlias = Callable[[Sequence[tuple[str, str]]], Mapping[tuple[str, str], SpokenClip]]
"""Speaks texts, each with a voice."""


def compose(
    strategy: Strategy,
    pool: Pool,
    cell: Exposure,
    train_seed: int,
    predict: Predictor | None = None,
    speak: Speaker | None = None,
) -> tuple[StageExamples, ...]:
    """List the training examples of a strategy.

    Args:
        strategy: Whose stages are filled.
        pool: What the budget allows.
        cell: Updates and clips that the rules give the cell.
        train_seed: Draws the order.
        predict: Asks the model for a stage's `compose`, which is then called again with the replies.
        speak: Speaks texts for a stage's `compose`, likewise.

    Raises:
        UsageError: The strategy needs speech and the budget buys none, or more than its updates can hold.
        BudgetError: A stage's own `compose` gave what is not of the pool, or more clips than the rules allow.
        DeclarationError: A stage's own `compose` failed or gave no example, or there are more stages than
            updates.
    """
    if strategy.needs_speech and not pool.speech():
        raise needs_speech(strategy, pool.budget)
    sizes = stage_sizes(strategy, pool, cell)
    most = most_heard(strategy, pool, cell)
    train_set: list[StageExamples] = []
    heard = 0
    for number, (stage, size) in enumerate(zip(strategy.stages, sizes, strict=True)):
        seed = f"{train_seed}:{number}"
        examples: tuple[Example, ...]
        if not size.examples:
            examples = ()
        elif stage.compose is not None:
            # What no declared stage needs is free for it.
            kept = sum(
                later.clips
                for other, later in zip(strategy.stages[number + 1 :], sizes[number + 1 :], strict=True)
                if other.compose is None
            )
            clips = most - heard - kept
            replies: dict[Example, str] = {}
            spoken: dict[tuple[str, str], SpokenClip] = {}
            while True:
                asked = replace(pool, replies=replies, spoken=spoken, exposures=clips)
                try:
                    examples = own_examples(strategy, number, asked, seed, size.examples, clips)
                    break
                except SpeechWanted as wanted_speech:
                    spoken |= _spoken(strategy, number, wanted_speech, speak)
                except PredictionsWanted as wanted:
                    replies |= _replies(strategy, pool, number, train_set, wanted, predict)
        elif stage.learns_from == TEXT:
            examples = tuple(Example.written(u) for u in recycled(pool.text(), size.examples, seed + ":text"))
        elif stage.learns_from == SPEECH:
            recorded = recycled(pool.speech(), size.examples, seed + ":speech")
            examples = tuple(Example.spoken(u) for u in recorded)
        else:
            examples = _mixed(pool, size.examples, min(size.clips, most - heard), seed)
        heard += sum(map(paid_clips, examples))
        train_set.append(StageExamples(stage, math.ceil(len(examples) / cell.batch), examples))
    return tuple(train_set)


def _replies(
    strategy: Strategy,
    pool: Pool,
    number: int,
    before: Sequence[StageExamples],
    wanted: PredictionsWanted,
    predict: Predictor | None,
) -> Mapping[Example, str]:
    if predict is None:
        raise DeclarationError(
            f"compose of {strategy.name}, stage {number + 1} calls pool.predict, and there is no model to ask"
            " here: such a strategy is composed while it is trained (slubench run)."
        )
    there = set(pool.heard.values())
    for example in wanted.examples:
        if not {whole_clip(one) for one in example.clips if not isinstance(one, SpokenClip)} <= there:
            raise BudgetError(
                f"compose of {strategy.name}, stage {number + 1} asks pool.predict about a clip of"
                f" {shown(example.utterance)}, which is neither in the budget {pool.budget} nor among"
                " pool.unlabelled()."
            )
    replies = predict(number, before, wanted.examples)
    if lacking := [one for one in wanted.examples if one not in replies]:
        raise DeclarationError(
            f"compose of {strategy.name}, stage {number + 1}: the model gave no reply to"
            f" {len(lacking)} of {len(wanted.examples)} examples."
        )
    return replies


def _spoken(
    strategy: Strategy, number: int, wanted: SpeechWanted, speak: Speaker | None
) -> Mapping[tuple[str, str], SpokenClip]:
    where = f"compose of {strategy.name}, stage {number + 1} calls pool.speak"
    if strategy.track != "open":
        raise DeclarationError(
            f'{where}: synthetic speech is other data than the pool\'s. Declare Strategy(track="open").'
        )
    if speak is None:
        raise DeclarationError(f"{where}, and nothing can be spoken here (slubench run speaks).")
    return speak(wanted.texts)


def needs_speech(strategy: Strategy, budget: Budget) -> UsageError:
    """The error for a strategy that needs speech at a budget without speech."""
    return UsageError(
        f"{strategy.name} needs speech, but the budget {budget} buys none. Give more with --speech, or run"
        " text-only."
    )


def most_heard(strategy: Strategy, pool: Pool, cell: Exposure) -> int:
    """The clip exposures that a strategy may use (RULES.md, "What is equal")."""
    return PASSES * len(pool.speech()) if strategy.learns_from == SPEECH else cell.heard


def stage_sizes(strategy: Strategy, pool: Pool, cell: Exposure) -> list[StageSize]:
    """The size of each stage: its share of the updates, or less if `passes` or clips run out.

    Raises:
        UsageError: More clips were bought than a mixing strategy can hear.
        DeclarationError: There are more stages than updates.
    """
    examples = _shares(strategy, pool, cell)
    hears = [SPEECH in stage.learns_from for stage in strategy.stages]
    if strategy.learns_from == TEXT | SPEECH and len(pool.speech()) > cell.heard:
        raise UsageError(
            f"The budget {pool.budget} buys {len(pool.speech()):,} clips, but {strategy.name} can use only"
            f" {cell.heard:,}, which fill half of the cell's {cell.updates:,} updates of {cell.batch}."
            " Strategies would not use the same clips; give less with --speech."
        )
    # What all stages hear is shared among them by their updates, without remainder.
    most = most_heard(strategy, pool, cell)
    weights = [math.ceil(n / cell.batch) if heard else 0 for n, heard in zip(examples, hears, strict=True)]
    ends = [round(most * done / (sum(weights) or 1)) for done in itertools.accumulate(weights)]
    sizes = []
    for stage, count, begin, end in zip(strategy.stages, examples, [0, *ends], ends, strict=False):
        clips = min(end - begin, count)
        listens = stage.learns_from == SPEECH and stage.compose is None
        sizes.append(StageSize(clips if listens else count, clips))
    return sizes


def _shares(strategy: Strategy, pool: Pool, cell: Exposure) -> list[int]:
    """The examples of each stage by its share of the updates and its passes."""
    examples, share, before = [], 0.0, 0
    for stage in strategy.stages:
        if not stage.share:
            examples.append(0)
            continue
        share += stage.share
        count = max(round(min(share, 1.0) * cell.updates) - before, 1)
        before += count
        slots = count * cell.batch
        if stage.passes is not None and stage.compose is None:
            learnt = 0
            if TEXT in stage.learns_from:
                learnt += len(pool.text())
            if SPEECH in stage.learns_from:
                learnt += len(pool.speech())
            slots = min(slots, max(1, math.floor(stage.passes * learnt + 1e-9)))
        examples.append(slots)
    if before > cell.updates:
        learning = sum(stage.share > 0 for stage in strategy.stages)
        raise DeclarationError(
            f"{strategy.name} has {learning} stages of at least one update each, {before} in all;"
            f" the cell has {cell.updates} (RULES.md). Declare fewer stages, or learn from a larger pool."
        )
    return examples


def _mixed(pool: Pool, slots: int, heard: int, seed: str) -> tuple[Example, ...]:
    spoken = recycled(pool.speech(), heard, seed + ":speech")
    written = recycled(pool.text(), slots - heard, seed + ":text")
    places = sorted(range(slots), key=lambda slot: rank(f"{seed}:slot", str(slot)))
    speaks = set(places[:heard])
    return tuple(
        Example.spoken(next(spoken)) if slot in speaks else Example.written(next(written))
        for slot in range(slots)
    )
