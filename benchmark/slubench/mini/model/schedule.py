"""The one schedule of pretraining, by the share of steps that is done."""

import math
from dataclasses import dataclass
from typing import Final

from slubench.mini.model.objective import Weights

HEARING: Final = Weights({"bpe": 1.0, "phoneme": 0.5, "norm": 0.1})
"""First stage, spoken: hearing alone."""
READING: Final = Weights({"written": 1.0, "plain": 0.1})
"""Written batches of every stage."""
JOINING: Final = Weights(
    {
        "bpe": 1.0,
        "phoneme": 0.1,
        "norm": 0.1,
        "cosine": 2.0,
        "spoken": 1.0,
        "written": 0.5,
        "tail": 2.0,
        "utterance": 1.0,
        "divergence": 4.0,
    }
)
"""Second stage, spoken: each question heard and read, and both brought together."""


@dataclass(frozen=True)
class Schedule:
    """Stages and learning rate over ``steps``."""

    steps: int
    rate: float = 1.5e-3
    warmup: int = 200
    joins: float = 0.70
    """Share of the steps after which the language model hears."""
    falls: float = 0.72
    """Share of the steps after which the rate falls, along a cosine."""
    last: float = 0.02
    """The rate at the end, as a share of ``rate``."""
    reads_every: tuple[int, int] = (6, 4)
    """A written batch comes with every n-th step of the first and of the second stage."""

    def joined(self, step: int) -> bool:
        """Say whether the language model hears at ``step``."""
        return step >= self.joins * self.steps

    def reads(self, step: int) -> bool:
        """Say whether ``step`` has a written batch."""
        return step % self.reads_every[self.joined(step)] == 0

    def rate_at(self, step: int) -> float:
        """Give the learning rate of ``step``: linear warm-up, level, cosine."""
        rising = min(1.0, (step + 1) / self.warmup)
        done = (step / self.steps - self.falls) / (1 - self.falls)
        falling = 0.5 * (1 + math.cos(math.pi * min(max(done, 0.0), 1.0)))
        return self.rate * rising * (self.last + (1 - self.last) * falling)
