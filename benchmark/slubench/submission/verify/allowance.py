"""How many replayed replies may come otherwise: what rounding does in a number format, and no more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

COARSE: Final = "bfloat16"
FINE: Final = "float32"


@dataclass(frozen=True)
class Rates:
    """What part of honest replies comes otherwise on another machine, at most.

    Attributes:
        otherwise: Replies that are not the same.
        unexplained: Of all replies, those that part at a token that rounding does not explain.
    """

    otherwise: float
    unexplained: float


RATES: Final[Mapping[str, Rates]] = {
    "float32": Rates(otherwise=0.01, unexplained=0.001),
    "bfloat16": Rates(otherwise=0.1, unexplained=0.002),
}
"""By number format, measured by `tools/measure/replay_allowance.py` and rounded up."""
REJECTED: Final = 1e-3
"""An honest bundle is refused with about this probability by each of the two allowances."""


def coarser(one: str, other: str) -> str:
    """Of two number formats the one that rounds more."""
    return FINE if (one, other) == (FINE, FINE) else COARSE


def allowed(rate: float, count: int, chance: float = REJECTED) -> int:
    """The most of `count` replies that may come otherwise, where each does with probability `rate`.

    Args:
        rate: Of honest replies.
        count: Replies that were given again.
        chance: That more of an honest bundle's come otherwise.
    """
    from scipy.stats import binom

    return int(binom.isf(chance, count, rate)) if count else 0
