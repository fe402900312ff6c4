"""Which of ten shades a number has among others."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from slubench.view import Square

SHADES = 10


def heat_of(squares: Sequence[Square], metric: str) -> Callable[[float], int]:
    """One scale for all matrices of a setting, from their lowest to their highest number."""
    estimates = (cell.estimate(metric) for square in squares for _, cell in square.cells.values())
    values = [estimate.value for estimate in estimates if estimate is not None]
    low, high = min(values, default=0.0), max(values, default=1.0)
    width = (high - low) or 1.0
    return lambda value: min(SHADES - 1, max(0, int(SHADES * (value - low) / width)))
