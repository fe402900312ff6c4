"""Corrects several differences for their number, p-values and intervals alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from slubench.board.comparisons import Difference
from slubench.metrics.contrasts import Moments
from slubench.metrics.statistics import corrected

AtLevel = Callable[[float], Difference]
"""A difference with its uncorrected p, and its interval at a given level."""


def together(differences: Sequence[AtLevel]) -> list[Difference]:
    """Correct differences for their number: p by Holm, and each interval by the same factor as its p."""
    alone = [at_level(0.95) for at_level in differences]
    return [
        replace(at_level(one.level), p=one.p, comparisons=len(differences))
        for at_level, one in zip(differences, corrected([found.p for found in alone]), strict=True)
    ]


def paired(measured: Moments) -> AtLevel:
    """The first of two quantities minus the second, over their shared seeds."""

    def at_level(level: float) -> Difference:
        found = measured.estimate(np.array([1.0, -1.0]), level)
        return Difference(
            found.value, found.low, found.high, found.seeds, found.p, degenerate=found.degenerate
        )

    return at_level
