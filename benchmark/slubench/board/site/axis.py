"""The axis of a drawn column: round ticks over its intervals, without values that lie far from the rest."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from slubench.board.panel import Estimate

FAR = 2.0
"""Values farther from the middle half than so many times its width are drawn at the edge, as an arrow."""
STEPS = 5
"""Most intervals between ticks."""


@dataclass(frozen=True)
class Axis:
    """An axis in the unit of the scores.

    Attributes:
        ticks: Rising, evenly spaced; the first and the last are its ends.
    """

    ticks: tuple[float, ...]

    def place(self, value: float) -> float:
        """Where a value lies, within [0, 1]; what is beyond an end lies at it."""
        low, high = self.ticks[0], self.ticks[-1]
        return min(1.0, max(0.0, (value - low) / (high - low)))

    def beyond(self, value: float) -> int:
        """-1 below the axis, 1 above it, else 0."""
        return int(value > self.ticks[-1] + 1e-9) - int(value < self.ticks[0] - 1e-9)


def axis_of(estimates: Sequence[Estimate]) -> Axis:
    """The axis of a column with at least one estimate."""
    values = [one.value for one in estimates]
    lower, upper = (float(end) for end in np.quantile(values, [0.25, 0.75]))
    width = max(upper - lower, 0.02)
    near = [one for one in estimates if lower - FAR * width <= one.value <= upper + FAR * width]
    low = min(one.value if one.low is None else one.low for one in near)
    high = max(one.value if one.high is None else one.high for one in near)
    step = _round_step((high - low) or 0.02)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    # Whole numbers of steps give the same tick on any machine.
    return Axis(tuple(round(at * step, 9) for at in range(first, max(last, first + 1) + 1)))


def _round_step(width: float) -> float:
    power = 10.0 ** math.floor(math.log10(width / STEPS))
    return next(scale * power for scale in (1, 2, 5, 10, 20) if scale * power * STEPS >= width)
