"""Compares the score of a retrained run with the prediction interval of one more seed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from slubench.board.analysis.seeds import TOTALS_FROM
from slubench.board.read.replicates import MeasureReplicates, read_replicates
from slubench.board.read.scores import read_scores
from slubench.errors import DataError, UsageError
from slubench.metrics.contrasts import moments, total_interval
from slubench.metrics.statistics import Values, prediction_interval
from slubench.pipeline.score import first_row

METRIC, INPUTS = "slu_f1", "speech"
LEVEL = 0.95
WIDEST = 0.20
"""The widest prediction interval against which a score may be held: 20 points. All of the speech brings about
20 to 30 points over none in the published results, so that a wider interval would take a run that learnt
nothing from speech for a reproduction of one that did."""
WIDEST_TOTAL = 0.40
"""The widest total interval of a cell, the retrained seed among the others: 40 points. Beyond it the test is
too small, or the seeds differ too much, for its score to say anything."""


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
    """A score and the submitted scores.

    Attributes:
        score: SLU-F1 on speech, normalised, of the run that was trained again.
        mean: Of those handed in.
        interval: Where one more seed lies in 95 % of cases; the score must lie in it.
        seeds: How many were handed in.
        total: The total interval over all seeds, this one among them: for other seeds and other sentences.
    """

    score: float
    mean: float
    interval: ScoreInterval
    seeds: int
    total: ScoreInterval | None = None

    @property
    def too_wide(self) -> str:
        """Why no score could contradict the submitted seeds; empty where one could."""
        if self.interval.high - self.interval.low > WIDEST:
            return f"it is wider than {100 * WIDEST:.0f} points, so it proves nothing"
        if self.total is not None and self.total.high - self.total.low > WIDEST_TOTAL:
            most = f"{100 * WIDEST_TOTAL:.0f} points"
            return f"with this seed the total interval is {self.total}, wider than {most}"
        return ""

    @property
    def holds(self) -> bool:
        """Whether the score lies in the interval, and the interval is narrow enough."""
        return not self.too_wide and self.score in self.interval

    def __str__(self) -> str:
        where = "in" if self.score in self.interval else "outside"
        told = (
            f"SLU-F1 {100 * self.score:.1f}, {where} {self.interval}, the 95 % interval of one more seed "
            f"by {self.seeds} seeds"
        )
        if not self.too_wide:
            return told
        return f"{told}; {self.too_wide}: submit more seeds, or seeds that agree better"


def check_enough(seeds: int) -> None:
    """Check that there are enough seeds for an interval.

    Raises:
        UsageError: There are not.
    """
    if seeds < TOTALS_FROM:
        raise UsageError(
            f"An interval over seeds needs {TOTALS_FROM} seeds of the cell; the bundle has {seeds}."
        )


def compare(retrained: Path, handed_in: Sequence[Path]) -> Reproduction:
    """Compare the scores of one run with those of the same cell at other seeds.

    Args:
        retrained: Its score file, replicates beside it.
        handed_in: Theirs.

    Raises:
        UsageError: There are too few for an interval.
        DataError: Scores lack replicates, or are of another test.
    """
    check_enough(len(handed_in))
    files = [retrained, *handed_in]
    replicates = read_replicates(files, read_scores(files).sources)
    own, *others = [
        _drawn(path, replicates.find(_fingerprint(path), METRIC, INPUTS)) for path in (retrained, *handed_in)
    ]
    if {one.alike for one in others} != {own.alike}:
        raise DataError(f"The scores {retrained.name} are for other sentences than those submitted.")
    values, drawn = _arrays(others)
    found = moments(values[None], drawn[None], math.inf).both
    assert found is not None
    # Of one score, where `moments` has it of the mean.
    both = float(found[0, 0]) * len(others)
    # The sentences are the same, so their number tells only where not one reply differs.
    interval = ScoreInterval(*prediction_interval(values, both, own.clusters * len(others), LEVEL))
    total = _total([own, *others])
    return Reproduction(float(own.value), float(values.mean()), interval, len(values), total)


def _total(seeds: Sequence[MeasureReplicates]) -> ScoreInterval:
    """The total interval; of a test that rests on fewer than two clusters, all that a score may be."""
    clusters = min(one.freedom for one in seeds)
    if clusters < 2:
        return ScoreInterval(0.0, 1.0)
    found = total_interval(*_arrays(seeds), clusters, LEVEL)
    return ScoreInterval(found.low, found.high)


def _arrays(seeds: Sequence[MeasureReplicates]) -> tuple[Values, Values]:
    """Values, shape (seeds,), and replicates, shape (seeds, replicates)."""
    values = np.array([one.value for one in seeds])
    return values, np.array([one.replicates for one in seeds], dtype=np.float64)


def _fingerprint(path: Path) -> str:
    row = first_row(path, ("scores_fingerprint",))
    if row is None:
        raise DataError(f"{path} is not a score file; score it again.")
    return str(row["scores_fingerprint"])


def _drawn(path: Path, drawn: MeasureReplicates | None) -> MeasureReplicates:
    if drawn is None:
        raise DataError(f"{path} has no replicates of {METRIC}; score it again.")
    return drawn
