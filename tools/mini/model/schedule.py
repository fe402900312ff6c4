"""The one schedule of pretraining, by the share of steps that is done."""

import math
from dataclasses import dataclass
from typing import Final

from tools.mini.model.objective import Weights

HEARING: Final = Weights({"bpe": 1.0, "phoneme": 0.3, "norm": 0.1, "cosine": 4.0})
"""Spoken, hearing alone."""
READING: Final = Weights({"written": 1.0, "plain": 0.1})
"""Written batches of every stage."""
JOINING: Final = Weights(
    {
        "bpe": 1.0,
        "phoneme": 0.1,
        "norm": 0.1,
        "cosine": 4.0,
        "spoken": 1.0,
        "written": 0.5,
        "tail": 2.0,
        "utterance": 1.0,
        "divergence": 4.0,
    }
)
"""Spoken, each question heard and read, and both brought together."""
SURROGATE: Final = Weights({**JOINING.parts, "spoken": 0.5, "written": 0.0})
"""The same under a surrogate adapter."""


@dataclass(frozen=True)
class Schedule:
    """Stages and learning rate over ``steps``."""

    steps: int
    rate: float = 1.5e-3
    warmup: int = 200
    joins: float = 0.35
    """Share of the steps after which the language model hears, at every third step."""
    settles: float = 0.60
    """Share of the steps after which it hears at every step."""
    yields: float = 0.70
    """Share of the steps after which two of five steps run under a surrogate adapter."""
    falls: float = 0.40
    """Share of the steps after which the rate falls, along a cosine."""
    last: float = 0.01
    """The rate at the end, as a share of ``rate``."""
    reads_every: int = 5
    """A written batch comes with every n-th step."""
    surrogate_steps: int = 300
    """Steps after which a new surrogate adapter is trained."""

    def joined(self, step: int) -> bool:
        """Say whether the language model hears at ``step``."""
        done = step / self.steps
        return done >= self.settles or (done >= self.joins and step % 3 == 0)

    def surrogate(self, step: int) -> int | None:
        """Give the number of the surrogate adapter under which ``step`` runs, if any."""
        if step / self.steps < self.yields or step % 5 >= 2:
            return None
        return step // self.surrogate_steps

    def reads(self, step: int) -> bool:
        """Say whether ``step`` has a written batch."""
        return step % self.reads_every == 0

    def rate_at(self, step: int) -> float:
        """Give the learning rate of ``step``: linear warm-up, level, cosine."""
        rising = min(1.0, (step + 1) / self.warmup)
        done = (step / self.steps - self.falls) / (1 - self.falls)
        falling = 0.5 * (1 + math.cos(math.pi * min(max(done, 0.0), 1.0)))
        return self.rate * rising * (self.last + (1 - self.last) * falling)
