"""Test sampling of any measure: replicates over sentences, or over sentences and speakers.

Speakers are sampled as sentences are: another test would have had others. Where every answer has both names,
the two are crossed factors, and what a measure varies by is the sum of both, less what is counted twice: the
answers of one speaker to one sentence (Cameron, Gelbach & Miller 2011, "Robust inference with multiway
clustering", Journal of Business & Economic Statistics 29). A replicate is therefore the value, plus what
other sentences change, plus what other speakers change; the former is shrunk by a constant of the design, so
that nothing is counted twice where each sentence was spoken by one speaker. It depends on names alone: the
replicates of a difference of two runs are still the difference of their replicates.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from slubench.metrics.bootstrap import (
    REPLICATES,
    ClusterSums,
    Interval,
    by_factor,
    factor_shares,
    percentile_interval,
    replicate,
)
from slubench.metrics.statistics import rooms, unseen_share
from slubench.metrics.tally import Counts

Values = NDArray[np.float64]
Measures = Callable[[Counts], Mapping[str, Values]]

_CELLS_A_BLOCK = 1 << 20
_FAR = 1e6  # clusters are told apart by what they add to a total this much larger


class Sampled(NamedTuple):
    """A measure with its replicates.

    Attributes:
        value: The measure.
        replicates: Shape (replicates,).
        clusters: Effective number of clusters, that of speakers where these are fewer. Clusters that a
            measure does not rest on do not count, as sentences without entities for SLU-F1.
    """

    value: float
    replicates: Values
    clusters: float

    def interval(self, level: float = 0.95) -> Interval:
        """The interval of test sampling, which has a width even if all clusters agree."""
        return sampling_interval(self.value, self.replicates, self.clusters, level)


def sampling_interval(
    value: float,
    replicates: Values,
    clusters: float,
    level: float = 0.95,
    bounds: tuple[float, float] = (0.0, 1.0),
) -> Interval:
    """The percentile interval; where replicates do not vary, what unseen clusters may do.

    Args:
        value: The measure, or the difference of two.
        replicates: Shape (replicates,).
        clusters: Effective number of clusters.
        level: What share of such intervals holds the truth.
        bounds: The least and the greatest value there can be; a side on which the value lies beyond has none.
    """
    least = bounds[0] if value >= bounds[0] else -math.inf
    most = bounds[1] if value <= bounds[1] else math.inf
    if is_degenerate(replicates):
        unseen = unseen_share(1 - level, clusters)
        down, up = rooms(value, (least, most))
        return Interval(value - unseen * down, value + unseen * up)
    low, high = percentile_interval(replicates, level, clusters)
    return Interval(max(low, least), min(high, most))


def is_degenerate(replicates: Values) -> bool:
    """Whether all replicates are the same, but for rounding: they are kept in single precision."""
    return bool(np.ptp(replicates) <= 1e-6)


def sampled(clusters: ClusterSums, measures: Measures, replicates: int = REPLICATES) -> dict[str, Sampled]:
    """Every measure of some predictions, with its replicates.

    Args:
        clusters: Their sums, by sentence or by sentence and speaker.
        measures: Turns sums of shape (..., K) into measures.
        replicates: How many.
    """
    values = {name: float(value) for name, value in measures(clusters.total).items()}
    drawn = {name: np.full(replicates, value) for name, value in values.items()}
    effective = dict.fromkeys(values, math.inf)
    for at, share in enumerate(factor_shares(clusters)):
        if share == 0:
            continue
        factor = by_factor(clusters, at)
        weights = _weights(factor.sums, measures)
        several = np.hstack([factor.sums, np.stack(list(weights.values()), axis=1)])
        sums = replicate(ClusterSums(factor.names, several), replicates, salt=str(at))
        columns = factor.sums.shape[1]
        found = measures(sums[:, :columns])
        for place, (name, weight) in enumerate(weights.items()):
            # A replicate in which no cluster counts tells nothing, least of all a score of 0.
            told = sums[:, columns + place] > 0
            drawn[name] += share * np.where(told, found[name] - values[name], 0.0)
            effective[name] = min(effective[name], _kish(weight))
    return {name: Sampled(value, drawn[name], effective[name]) for name, value in values.items()}


def _weights(sums: Counts, measures: Measures) -> dict[str, Values]:
    """How much each cluster moves each measure of a much larger total; what does not count moves nothing."""
    columns = sums.shape[1]
    size = _FAR * (1.0 + float(sums.max(initial=0.0)))
    weights: dict[str, Values] = {}
    # Two totals: a cluster that happens to lie at the measure of the one does not at that of the other.
    for total in size * (1.0 + np.random.default_rng(0).random((2, columns))):
        before, after = measures(total), measures(total + sums)
        for name in before:
            weights[name] = weights.get(name, 0.0) + np.abs(after[name] - before[name])
    # What is left of rounding is no weight.
    return {name: np.where(w > 1e-4 * w.max(initial=0.0), w, 0.0) for name, w in weights.items()}


def _kish(weights: Values) -> float:
    """The effective number of clusters of unequal weights, (sum w)^2 / sum w^2 (Kish 1965)."""
    squares = float(weights @ weights)
    return float(weights.sum()) ** 2 / squares if squares > 0 else 0.0
