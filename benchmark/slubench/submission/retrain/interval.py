"""Whether the score of a run that was trained again lies in the total interval of those handed in."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow.parquet as pq
from scipy.special import stdtrit

from slubench.board.analysis.seeds import TOTALS_FROM
from slubench.board.read.replicates import MeasureReplicates, read_replicates
from slubench.errors import DataError, UsageError
from slubench.metrics.contrasts import total_interval

METRIC, INPUTS = "slu_f1", "speech"
LEVEL = 0.95


class ScoreInterval(NamedTuple):
    """Both ends included."""

    low: float
    high: float

    def __contains__(self, value: object) -> bool:
        return isinstance(value, float) and self.low <= value <= self.high

    def __str__(self) -> str:
        return f"[{100 * self.low:.1f}, {100 * self.high:.1f}]"


@dataclass(frozen=True)
class Reproduction:
    """A score beside those that were handed in.

    Attributes:
        score: SLU-F1 on speech, normalised, of the run that was trained again.
        mean: Of those handed in.
        total: Their total interval, for other seeds and other sentences (RULES.md); the score must lie in it.
        another: Where a single run of another seed lies on the same sentences, at 95 %: for the reader of a
            score that does not.
        seeds: How many were handed in.
    """

    score: float
    mean: float
    total: ScoreInterval
    another: ScoreInterval
    seeds: int

    @property
    def holds(self) -> bool:
        """Whether the score lies in the total interval."""
        return self.score in self.total

    def __str__(self) -> str:
        where = "in" if self.holds else "outside"
        told = f"SLU-F1 {100 * self.score:.1f}, {where} the total interval {self.total} of {self.seeds} seeds"
        if self.holds:
            return told
        within = "in" if self.score in self.another else "outside"
        return f"{told}, and {within} {self.another}, where 95 % of single seeds would lie"


def check_enough(seeds: int) -> None:
    """See that there are seeds enough for a total interval.

    Raises:
        UsageError: There are not.
    """
    if seeds < TOTALS_FROM:
        raise UsageError(f"A total interval needs {TOTALS_FROM} seeds of the cell; the bundle has {seeds}.")


def compare(retrained: Path, handed_in: Sequence[Path]) -> Reproduction:
    """Compare the scores of one run with those of the same cell at other seeds.

    Args:
        retrained: Its score file, replicates beside it.
        handed_in: Theirs.

    Raises:
        UsageError: There are too few for a total interval.
        DataError: Scores lack replicates, or are of another test.
    """
    check_enough(len(handed_in))
    replicates = read_replicates([retrained, *handed_in])
    own, *others = [
        _drawn(path, replicates.find(_fingerprint(path), METRIC, INPUTS)) for path in (retrained, *handed_in)
    ]
    if {(one.clusters, len(one.replicates)) for one in others} != {(own.clusters, len(own.replicates))}:
        raise DataError(f"The scores {retrained.name} are of other sentences than those handed in.")
    values = np.array([one.value for one in others])
    drawn = np.array([one.replicates for one in others], dtype=np.float64)
    estimate = total_interval(values, drawn, own.clusters, LEVEL)
    seeds = len(values)
    # The t interval for one more draw; the sentences are the same and play no part.
    half = float(stdtrit(seeds - 1, (1 + LEVEL) / 2)) * float(values.std(ddof=1)) * math.sqrt(1 + 1 / seeds)
    mean = float(values.mean())
    total = ScoreInterval(estimate.low, estimate.high)
    return Reproduction(float(own.value), mean, total, ScoreInterval(mean - half, mean + half), seeds)


def _fingerprint(path: Path) -> str:
    return str(pq.read_table(path, columns=["scores_fingerprint"]).column(0)[0].as_py())


def _drawn(path: Path, drawn: MeasureReplicates | None) -> MeasureReplicates:
    if drawn is None:
        raise DataError(f"{path} has no replicates of {METRIC} beside it; score it again.")
    return drawn
