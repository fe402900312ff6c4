"""Intervals and tests over seeds, for claims about strategies rather than trained models.

A strategy's score varies with the seeds of its runs and with the sentences of the test. Seeds and sentences
are crossed: every run answers the same sentences. docs/statistics.md derives what is computed here, and
`tools/measure/coverage.py` shows by simulation what it holds.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import stdtrit

from slubench.metrics.bootstrap import ClusterSums, Interval, by_factor, draw, factor_shares, name_keys

Values = NDArray[np.float64]

_SMALLEST_P = 1e-16
_NEXT_TO_NONE = 1e-12
_ROUNDING = 1e-9
_CELLS_A_BLOCK = 1 << 21


@dataclass(frozen=True)
class MeanEstimate:
    """A mean over seeds with its total interval.

    Attributes:
        value: The mean over seeds.
        low: Lower end of the interval.
        high: Upper end.
        seeds: How many seeds.
        seed_error: Standard error from seeds, with what they share with single sentences.
        sentence_error: Standard error from the choice of sentences alone.
        p: For the hypothesis that the truth is 0; the interval of level 1 - p just touches 0. Of use for
            differences only.
        degenerate: Whether all sentences gave the same, so that the width follows from their number alone;
            no tie may be claimed from it.
    """

    value: float
    low: float
    high: float
    seeds: int
    seed_error: float
    sentence_error: float
    p: float
    degenerate: bool = False


class Corrected(NamedTuple):
    """A p-value corrected for several comparisons, and the level of the interval that goes with it.

    Attributes:
        p: Corrected.
        level: The interval of this level holds 0 exactly where `p` is at least 5 %.
    """

    p: float
    level: float


class Ranks(NamedTuple):
    """A range of ranks, both ends included; 1 is the best."""

    first: int
    last: int


def rank_sets(size: int, parted: Iterable[tuple[int, int]]) -> list[Ranks]:
    """Simultaneous confidence sets of the ranks of some competitors.

    A competitor is behind those it is shown to be worse than, ahead of those it is shown to be better than,
    and anywhere between (Mogstad, Romano, Shaikh & Wilhelm 2024, "Inference for ranks", Review of Economic
    Studies 91).

    Args:
        size: How many competitors.
        parted: Pairs that are shown to differ, the better first; as a whole they hold as often as the sets.
    """
    worse, better = [0] * size, [0] * size
    for first, second in parted:
        better[first] += 1
        worse[second] += 1
    return [Ranks(1 + behind, size - before) for behind, before in zip(worse, better, strict=True)]


def corrected(p: Sequence[float], level: float = 0.95) -> list[Corrected]:
    """Two-sided p-values corrected for their number, each with the level of the interval that agrees with it.

    Every comparison stands for two one-sided hypotheses, so that a difference that is found has the right
    sign too; `holm` corrects all of them together. This is the one correction of the page and the terminal.

    Args:
        p: Not corrected.
        level: What share of such families holds no false finding, at least.
    """
    halves = [one / 2 for one in p]
    both = holm([*halves, *(1 - half for half in halves)])[: len(halves)]
    # The interval of level 1 - p just touches 0: so the level falls by as much as p was raised.
    return [
        Corrected(after, 1 - (1 - level) * (before / after if after < 1 else 1 / len(p)))
        for before, after in zip(p, both, strict=True)
    ]


def estimate_of(
    value: float,
    seed: float,
    sentence: float,
    seeds: int,
    clusters: float,
    level: float = 0.95,
    *,
    bounds: tuple[float, float] = (-math.inf, math.inf),
    degenerate: bool = False,
) -> MeanEstimate:
    """An estimate from its parts of variance.

    Args:
        value: The mean over seeds.
        seed: Variance of it from seeds, with what they share with single sentences.
        sentence: Variance of it from the choice of sentences alone.
        seeds: How many seeds, two or more.
        clusters: How many clusters were resampled, two or more.
        level: What share of such intervals holds the truth.
        bounds: The least and the greatest value there can be; the interval does not go beyond.
        degenerate: Whether all sentences gave the same. Then a share `unseen_share` of the sentences may be
            unlike any that were seen, and give the least or the greatest value there can be.
    """
    down, up = rooms(value, bounds) if degenerate else (0.0, 0.0)
    low, high = (half_width(1 - level, seed, sentence, seeds, clusters, room) for room in (down, up))
    room = down if value > 0 else up
    ends = Interval(value - low, value + high)
    if bounds == (0.0, 1.0) and not degenerate and (ends.low < 0 or ends.high > 1):
        ends = _near_an_edge(value, low, ends)
    return MeanEstimate(
        value=value,
        low=max(ends.low, bounds[0]),
        high=min(ends.high, bounds[1]),
        seeds=seeds,
        seed_error=math.sqrt(seed),
        sentence_error=math.sqrt(sentence),
        p=_touching(abs(value), seed, sentence, seeds, clusters, room),
        degenerate=degenerate,
    )


def _near_an_edge(value: float, half: float, ends: Interval) -> Interval:
    """The ends of a score's interval that reaches beyond 0 or 1, where few answers differ from all others.

    There the variance that was seen is mostly too small. Wilson's (1927) interval takes the variance at each
    candidate, in proportion to p (1 - p), in place of that at the value; the effective number of answers
    follows from the width (Korn & Graubard 1998, "Confidence intervals for proportions with small expected
    number of positive counts estimated from survey data", Survey Methodology 24). It never narrows.
    """
    spread = value * (1 - value)
    if spread <= 0:
        return ends
    k = half * half / spread
    middle, reach = (value + k / 2) / (1 + k), math.sqrt(half * half + k * k / 4) / (1 + k)
    return Interval(min(ends.low, middle - reach), max(ends.high, middle + reach))


def prediction_interval(
    values: Values, both: float = 0.0, replies: float = math.inf, level: float = 0.95
) -> Interval:
    """The prediction interval of the score of one more seed on the same sentences.

    Student's t interval for one more draw: mean +- t * s * sqrt(1 + 1 / n). The sentences are the same for
    all seeds, so their choice moves all scores alike and plays no part; what a seed does to single sentences
    is in s. The interval lies in [0, 1].

    Args:
        values: Scores of n seeds, two or more.
        both: Variance of a score from what a seed does to single sentences; s is at least its root, as seeds
            may agree by chance.
        replies: To how many sentences all seeds together replied; gives a width where nothing varies.
        level: How often it holds the next score.
    """
    seeds, mean = len(values), float(values.mean())
    spread = math.sqrt(max(float(values.var(ddof=1)), both))
    if spread == 0:
        unseen = unseen_share(1 - level, replies) if math.isfinite(replies) else 0.0
        return Interval(mean - unseen * mean, mean + unseen * (1 - mean))
    half = float(stdtrit(seeds - 1, (1 + level) / 2)) * spread * math.sqrt(1 + 1 / seeds)
    return Interval(max(0.0, mean - half), min(1.0, mean + half))


def natural_bounds(values: Values) -> tuple[float, float]:
    """The bounds of a measure: 0 and 1 for most.

    A side on which a value lies beyond is unbounded: rates of errors may exceed 1.

    Args:
        values: The measure of one run or several, at least one.
    """
    least = -math.inf if values.min() < -_ROUNDING else 0.0
    most = math.inf if values.max() > 1 + _ROUNDING else 1.0
    return least, most


def rooms(value: float, bounds: tuple[float, float]) -> tuple[float, float]:
    """The distances of a value to its lower and upper bound; 0 if there is no bound."""
    down, up = (abs(bound - value) for bound in bounds)
    return down if math.isfinite(down) else 0.0, up if math.isfinite(up) else 0.0


def unseen_share(alpha: float, clusters: float) -> float:
    """The largest share of clusters that may be unlike n clusters that are all alike.

    Clopper & Pearson's (1934) upper end for 0 of n: 1 - (alpha / 2)^(1 / n), 1 where there is no cluster.
    """
    return 1.0 - (alpha / 2) ** (1 / clusters) if clusters > 0 else 1.0


def randomisation_p(
    first: ClusterSums, second: ClusterSums, measure: Callable[[Values], Values], shuffles: int = 9999
) -> float:
    """Whether two trained models differ in a measure: paired approximate randomisation.

    If they did not, it would not matter which of them gave which answers to a sentence. So these are swapped
    by a coin, sentence by sentence, and p is the share of swaps that part the two as much as they are
    parted, the given one among them (Noreen 1989, "Computer-intensive methods for testing hypotheses"; Yeh
    2000, COLING). The coins follow from the sentences' names. Where speakers are known they are swapped too,
    speaker by speaker, and what both kinds of swap do is added with the shares of `factor_shares`.

    Args:
        first: Sums of one model.
        second: Sums of the other over the same clusters.
        measure: The measure of sums, see `slubench.domain.metric.Metric`.
        shuffles: How many swaps; p is at least 1 / (shuffles + 1).

    Raises:
        ValueError: The clusters are not the same.
    """
    if first.names != second.names:
        raise ValueError("models can only be compared on the same sentences and speakers")
    if not len(first.sums):
        return 1.0
    observed = abs(float(measure(first.total) - measure(second.total)))
    swapped = np.zeros(shuffles)
    for factor, share in enumerate(factor_shares(first)):
        if share:
            pair = by_factor(first, factor), by_factor(second, factor)
            swapped += share * _swapped(*pair, measure, shuffles, salt=f"swap{factor or ''}")
    # Sums made in another order differ in their last digits, which must not undo a tie.
    reached = 1 + int(np.count_nonzero(np.abs(swapped) >= observed - 1e-12))
    return reached / (shuffles + 1)


def _swapped(
    first: ClusterSums,
    second: ClusterSums,
    measure: Callable[[Values], Values],
    shuffles: int,
    salt: str,
) -> Values:
    """The difference of two models after random swaps of whole clusters."""
    keys = name_keys(first.names[0], salt=salt)
    apart = first.sums - second.sums
    differences = np.empty(shuffles)
    block = max(1, _CELLS_A_BLOCK // len(apart))
    for start in range(0, shuffles, block):
        numbers = np.arange(start, min(start + block, shuffles), dtype=np.uint64)
        moved = (draw(keys, numbers) >> np.uint64(63)).astype(np.float64) @ apart
        found = measure(first.total - moved) - measure(second.total + moved)
        differences[start : start + len(numbers)] = found
    return differences


def holm(p: Sequence[float]) -> list[float]:
    """P-values of several comparisons, corrected for their number (Holm 1979's step-down).

    Rejecting what stays below a level keeps the chance of any false rejection below it, whatever the
    dependence between the comparisons.
    """
    corrected = [0.0] * len(p)
    least = 0.0
    for rank, at in enumerate(sorted(range(len(p)), key=lambda at: p[at])):
        least = max(least, min(1.0, (len(p) - rank) * p[at]))
        corrected[at] = least
    return corrected


def half_width(
    alpha: float, seed: float, sentence: float, seeds: int, clusters: float, room: float = 0.0
) -> float:
    """Half the width of the interval of level 1 - alpha, see `slubench.metrics.contrasts`.

    Args:
        alpha: 1 - level.
        seed: Variance from seeds.
        sentence: Variance from sentences.
        seeds: How many.
        clusters: How many.
        room: How far the value could move on this side if all sentences were unlike those that were seen;
            0 where sentences vary, so that their variance tells.
    """
    over_seeds, over_sentences = stdtrit(seeds - 1, alpha / 2), stdtrit(clusters - 1, alpha / 2)
    unseen = room * unseen_share(alpha, clusters) if room else 0.0
    return math.sqrt(over_seeds**2 * seed + over_sentences**2 * sentence + unseen**2)


def _touching(
    distance: float, seed: float, sentence: float, seeds: int, clusters: float, room: float = 0.0
) -> float:
    """The alpha at which half the width is the distance, by bisection on its logarithm."""
    if distance == 0:
        return 1.0
    low, high = math.log(_SMALLEST_P), 0.0

    def beyond(place: float) -> float:
        return half_width(math.exp(place), seed, sentence, seeds, clusters, room) - distance

    if beyond(low) <= 0:
        return _SMALLEST_P
    if beyond(high) >= 0:
        return 1.0
    return math.exp(float(brentq(beyond, low, high, xtol=_NEXT_TO_NONE, rtol=8.9e-16)))
