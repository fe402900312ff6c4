"""Total intervals of weighted sums and ratios of quantities measured on the same seeds and sentences.

For s seeds, variances are split as in a two-way table with random rows and columns (Searle, Casella &
McCulloch 1992, "Variance components"):

- between seeds, the variance of the values / s: seeds, and what seeds do to single sentences;
- between sentences, the variance of the replicates of the mean: sentences, and again the latter;
- the latter alone, from what is left of the replicates when their mean over seeds is taken away.

The half-width is sqrt(t^2 * between seeds + u^2 * (between sentences - the latter)) with t and u Student's
quantiles for s - 1 and clusters - 1 degrees of freedom (Howe 1974, "Approximate confidence limits on the mean
of X + Y where X and Y are two tabled independent random variables"). It is the plain t interval over seeds
where only they matter, and the bootstrap's normal interval where seeds agree. Where nothing varies, the
width follows from the number of clusters (`slubench.metrics.statistics.unseen_share`).

The variance of a weighted sum is a quadratic form of covariances. These are made once for a group of cells;
every difference, mean and ratio of them then costs a few multiplications.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from slubench.metrics.statistics import MeanEstimate, Values, estimate_of, half_width, natural_bounds, rooms

_WIDEST = 64.0  # ratios beyond are told as unbounded
_STEPS = 60
_NOTHING = 1e-13  # variance that is rounding alone: replicates are kept in single precision


class VarianceParts(NamedTuple):
    """The variances of a weighted sum.

    Attributes:
        value: The sum of the means.
        seed: Its variance from seeds, with what they share with single sentences.
        sentence: Its variance from the choice of sentences alone.
        bounds: The least and the greatest value there can be.
        degenerate: Whether its replicates do not vary.
    """

    value: float
    seed: float
    sentence: float
    bounds: tuple[float, float]
    degenerate: bool


@dataclass(frozen=True)
class Moments:
    """Means and covariances of K quantities over s seeds.

    Attributes:
        means: Shape (K,).
        seed: Shape (K, K), covariance of the means from seeds, with what they share with single sentences.
        sentence: Shape (K, K), covariance of the means from the choice of sentences alone.
        seeds: s.
        clusters: How many clusters were resampled (of sentences and speakers, the fewer), for all or shape
            (K,): intervals go by the fewest.
        both: Shape (K, K), covariance of the means from what seeds do to single sentences; none is 0.
        bounds: Shape (K, 2), the least and the greatest value of each, see `natural_bounds`; none is 0 and 1.
    """

    means: Values
    seed: Values
    sentence: Values
    seeds: int
    clusters: float | Values
    both: Values | None = None
    bounds: Values | None = None

    @property
    def fewest(self) -> float:
        """The number of clusters that intervals are based on."""
        return float(np.min(self.clusters))

    def parts(self, weights: Values) -> VarianceParts:
        """Value, variances and range of a weighted sum of measures."""
        size = float(weights @ weights)
        seed, sentence, both = (
            0.0 if matrix is None else max(0.0, float(weights @ matrix @ weights))
            for matrix in (self.seed, self.sentence, self.both)
        )
        # Seeds that agree by chance still differ by what they do to single sentences.
        return VarianceParts(
            value=float(weights @ self.means),
            seed=both if seed <= _NOTHING * size else seed,
            sentence=sentence,
            bounds=self._bounds(weights),
            degenerate=sentence + both <= _NOTHING * size,
        )

    def _bounds(self, weights: Values) -> tuple[float, float]:
        used = weights != 0
        each = np.tile([0.0, 1.0], (len(weights), 1)) if self.bounds is None else self.bounds
        ends = weights[used, None] * each[used]
        return float(ends.min(axis=1).sum()), float(ends.max(axis=1).sum())

    def excess(self, weights: Values, level: float = 0.95) -> float:
        """Distance of a weighted sum from 0 beyond half its width; above 0 where its interval excludes 0."""
        value, seed, sentence, bounds, degenerate = self.parts(weights)
        room = rooms(value, bounds)[0 if value > 0 else 1] if degenerate else 0.0
        return abs(value) - half_width(1 - level, seed, sentence, self.seeds, self.fewest, room)

    def estimate(self, weights: Values, level: float = 0.95) -> MeanEstimate:
        """A weighted sum with its total interval and p-value."""
        value, seed, sentence, bounds, degenerate = self.parts(weights)
        return estimate_of(
            value, seed, sentence, self.seeds, self.fewest, level, bounds=bounds, degenerate=degenerate
        )


class Ratio(NamedTuple):
    """A ratio of two means; an end without a bound is infinite."""

    value: float
    low: float
    high: float


def moments(values: Values, replicates: Values, clusters: float | Values) -> Moments:
    """Means and covariances, split as the module's description says.

    Args:
        values: Shape (K, seeds).
        replicates: Shape (K, seeds, replicates), whose weights are shared by all.
        clusters: How many clusters were resampled, for all or shape (K,).

    Raises:
        ValueError: There are fewer than two seeds or clusters, or the shapes do not fit.
    """
    quantities, seeds = values.shape
    if seeds < 2 or np.min(clusters) < 2:
        fewest = f"{seeds} and {float(np.min(clusters)):g}"
        raise ValueError(f"intervals need at least two seeds and clusters, not {fewest}")
    if replicates.ndim != 3 or replicates.shape[:2] != values.shape:
        raise ValueError(
            f"replicates of shape {replicates.shape} do not match {seeds} seeds (x {quantities})"
        )
    mean = replicates.mean(axis=1)
    rest = replicates - mean[:, None]
    rest = (rest - rest.mean(axis=2, keepdims=True)).reshape(quantities, -1)
    freedom = replicates.shape[2] - 1
    both = rest @ rest.T / freedom / (seeds - 1) / seeds
    return Moments(
        means=values.mean(axis=1),
        seed=_covariance(values) / seeds,
        sentence=_covariance(mean) - both,
        seeds=seeds,
        clusters=clusters,
        both=both,
        bounds=np.array([natural_bounds(one) for one in values]),
    )


def total_interval(values: Values, replicates: Values, clusters: float, level: float = 0.95) -> MeanEstimate:
    """The mean of a measure over seeds, with an interval for other seeds and other sentences.

    Args:
        values: Shape (seeds,), the measure of each run.
        replicates: Shape (seeds, replicates), the same measure of each run's bootstrap replicates, whose
            weights are shared by the runs (`slubench.metrics.bootstrap`).
        clusters: How many clusters were resampled.
        level: What share of such intervals holds the truth.

    Raises:
        ValueError: As `moments`.
    """
    return moments(values[None], replicates[None], clusters).estimate(np.ones(1), level)


def paired_difference(
    first: tuple[Values, Values], second: tuple[Values, Values], clusters: float, level: float = 0.95
) -> MeanEstimate:
    """First minus second strategy over the same seeds and sentences, with total interval and p-value.

    The paired t test over seeds, widened by what another choice of sentences would change.

    Args:
        first: Values (seeds,) and replicates (seeds, replicates), as for `total_interval`.
        second: The same of the other strategy, in the same order of seeds.
        clusters: How many clusters were resampled.
        level: What share of such intervals holds the truth.

    Raises:
        ValueError: As `moments`; or the two are not of one shape.
    """
    if first[0].shape != second[0].shape or first[1].shape != second[1].shape:
        raise ValueError("paired strategies need the same seeds and the same number of replicates")
    values, replicates = (np.stack(pair) for pair in zip(first, second, strict=True))
    return moments(values, replicates, clusters).estimate(np.array([1.0, -1.0]), level)


def ratio(measured: Moments, above: Values, below: Values, level: float = 0.95) -> Ratio | None:
    """A ratio of two weighted sums: all numbers r for which the interval of above - r * below holds 0.

    Fieller 1954, "Some problems in interval estimation" (JRSS B 16), with the total interval in place of
    the t interval. Unlike the delta method it stays honest where what is below is near 0.

    Args:
        measured: The quantities.
        above: Weights of the sum above the line.
        below: Weights of the sum below it.
        level: What share of such intervals holds the truth.

    Returns:
        None where the sum below is not shown to be above 0: then there is nothing to have a share of.
    """
    if float(below @ measured.means) <= 0 or measured.excess(below, level) <= 0:
        return None
    value = float(above @ measured.means) / float(below @ measured.means)

    def outside(r: float) -> bool:
        return measured.excess(above - r * below, level) > 0

    return Ratio(value, _edge(outside, value, -1.0), _edge(outside, value, 1.0))


def _edge(outside: Callable[[float], bool], start: float, sign: float) -> float:
    """Where one leaves the set on the way from `start`, by doubling and bisection."""
    inner, step = 0.0, 0.01
    while not outside(start + sign * step):
        inner, step = step, 2 * step
        if step > _WIDEST:
            return sign * math.inf
    outer = step
    for _ in range(_STEPS):
        middle = (inner + outer) / 2
        inner, outer = (inner, middle) if outside(start + sign * middle) else (middle, outer)
    return start + sign * outer


def _covariance(rows: Values) -> Values:
    covariance: Values = np.asarray(np.cov(rows, ddof=1), dtype=np.float64).reshape(len(rows), len(rows))
    return covariance
