"""The updates and clip exposures of a cell, and the examples that fill a stage."""

from __future__ import annotations

import math
from dataclasses import dataclass

from slubench.domain.pool import UNLABELLED
from slubench.domain.strategy import Example, Stage
from slubench.domain.utterance import Clip, ClipPart, SpokenClip, whole_clip


@dataclass(frozen=True)
class Exposure:
    """The updates and clip exposures of every strategy in a cell.

    Attributes:
        batch: Examples an update.
        updates: U = ceil((3 T + S) / batch), for T written and S spoken examples of the pools, those of the
            target language included where the condition on target data opens them.
        heard: H_b = min(3 S_b, S), the clips a mixing strategy hears in all, repeats included; never more
            than half of the updates hold, so that a curriculum hears as many as direct mixing.
        unique: S_b, the clips that the budget buys.
    """

    batch: int
    updates: int
    heard: int
    unique: int


def exposure(written: int, spoken: int, bought: int, batch: int) -> Exposure:
    """The exposure of a cell from the sizes of its pools, all in examples."""
    updates = math.ceil((3 * written + spoken) / batch)
    return Exposure(
        batch=batch,
        updates=updates,
        heard=min(3 * bought, spoken, max(updates // 2, 1) * batch),
        unique=bought,
    )


def paid_clips(example: Example) -> int:
    """The clips of an example that count as exposures of bought speech (RULES.md)."""
    if example.utterance.startswith(UNLABELLED):
        return 0
    return len(exposed_clips(example))


def exposed_clips(example: Example) -> list[Clip]:
    """The recordings that an example exposes; parts of one recording are one exposure of it."""
    recorded = [clip for clip in example.clips if not isinstance(clip, SpokenClip)]
    parts = dict.fromkeys(whole_clip(clip) for clip in recorded if isinstance(clip, ClipPart))
    return [*(clip for clip in recorded if not isinstance(clip, ClipPart)), *parts]


@dataclass(frozen=True)
class StageExamples:
    """A stage's examples in training order; the last update may have fewer."""

    stage: Stage
    updates: int
    examples: tuple[Example, ...]
