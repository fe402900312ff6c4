"""How many replayed replies may come otherwise: what rounding does in a number format, and no more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
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
    "float32": Rates(otherwise=0.02, unexplained=0.001),
    "bfloat16": Rates(otherwise=0.4, unexplained=0.002),
}
"""By number format, measured by `tools/measure/bfloat16.py` and rounded up, long free replies too."""
REJECTED: Final = 1e-3
"""An honest bundle is refused with about this probability by each of the two allowances."""


def coarser(one: str, other: str) -> str:
    """Of two number formats the one that rounds more."""
    return FINE if (one, other) == (FINE, FINE) else COARSE


@dataclass(frozen=True)
class Counts:
    """A cell's replies that were given again.

    Attributes:
        count: All of them.
        otherwise: Those that are not the same.
        unexplained: Of these, those that part at a token that rounding does not explain.
    """

    count: int
    otherwise: int
    unexplained: int


def beyond(cells: Sequence[Counts], dtype: str) -> tuple[bool, list[bool]]:
    """Whether more replies came otherwise than a number format explains: in all cells together, and in each.

    Together, since rounding turns a reply here and there, in one cell more than in the next; each, so that
    one false adapter among many true ones is seen.
    """
    rates = RATES[dtype]
    most = _most(rates.otherwise, sum(cell.count for cell in cells), REJECTED)
    each = [cell.unexplained > _most(rates.unexplained, cell.count, REJECTED / len(cells)) for cell in cells]
    return sum(cell.otherwise for cell in cells) > most, each


@cache
def _most(rate: float, count: int, chance: float) -> int:
    """The most of `count` replies that may come otherwise, where each does with probability `rate`."""
    from scipy.stats import binom

    return int(binom.isf(chance, count, rate)) if count else 0
