"""What may be said of strategies and not only of trained models: intervals and tests over seeds.

A strategy's score varies with the seeds of its runs and with the sentences of the test. Seeds and sentences
are crossed: every run answers the same sentences. docs/statistics.md derives what is computed here, and
`tools/measure/coverage.py` shows by simulation what it holds.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr, stdtrit

from slubench.metrics.bootstrap import ClusterSums, draw, name_keys

Values = NDArray[np.float64]

_SMALLEST_P = 1e-16
_NEXT_TO_NONE = 1e-12
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
    """

    value: float
    low: float
    high: float
    seeds: int
    seed_error: float
    sentence_error: float
    p: float


class Ranks(NamedTuple):
    """A set of neighbouring ranks, 1 the best, both ends included."""

    first: int
    last: int


def rank_sets(
    p: Sequence[Sequence[float]], ahead: Sequence[Sequence[bool]], level: float = 0.95
) -> list[Ranks]:
    """For each of n competitors the ranks that it may truly have, all at once.

    A competitor is behind those it is shown to be worse than, ahead of those it is shown to be better than,
    and anywhere between (Mogstad, Romano, Shaikh & Wilhelm 2024, "Inference for ranks", Review of Economic
    Studies 91). Each pair stands for two one-sided hypotheses, so that a difference that is found has the
    right sign too, and all of them are corrected together by `holm`.

    Args:
        p: Shape (n, n), two-sided p-values; the diagonal plays no part, nor does what lies below it.
        ahead: Shape (n, n), whether the first of the pair scored higher.
        level: How often all sets together hold the truth, at least.
    """
    pairs = [(i, j) for i in range(len(p)) for j in range(i + 1, len(p))]
    found = holm([p[i][j] / 2 for i, j in pairs] + [1 - p[i][j] / 2 for i, j in pairs])
    worse, better = [0] * len(p), [0] * len(p)
    for (i, j), corrected in zip(pairs, found, strict=False):
        if corrected <= 1 - level:
            first, second = (i, j) if ahead[i][j] else (j, i)
            better[first] += 1
            worse[second] += 1
    return [Ranks(1 + behind, len(p) - before) for behind, before in zip(worse, better, strict=True)]


def estimate_of(
    value: float, seed: float, sentence: float, seeds: int, clusters: int, level: float = 0.95
) -> MeanEstimate:
    """An estimate from its parts of variance.

    Args:
        value: The mean over seeds.
        seed: Variance of it from seeds, with what they share with single sentences.
        sentence: Variance of it from the choice of sentences alone.
        seeds: How many seeds, two or more.
        clusters: How many clusters were resampled, two or more.
        level: What share of such intervals holds the truth.
    """
    half = half_width(1 - level, seed, sentence, seeds, clusters)
    return MeanEstimate(
        value=value,
        low=value - half,
        high=value + half,
        seeds=seeds,
        seed_error=math.sqrt(seed),
        sentence_error=math.sqrt(sentence),
        p=_touching(abs(value), seed, sentence, seeds, clusters),
    )


def randomisation_p(
    first: ClusterSums, second: ClusterSums, measure: Callable[[Values], Values], shuffles: int = 9999
) -> float:
    """Whether two trained models differ in a measure: paired approximate randomisation over sentences.

    If they did not, it would not matter which of them gave which answers to a sentence. So these are swapped
    by a coin, sentence by sentence, and p is the share of swaps that part the two as much as they are
    parted, the given one among them (Noreen 1989, "Computer-intensive methods for testing hypotheses"; Yeh
    2000, COLING). The coins follow from the sentences' names.

    Args:
        first: Sums of one model.
        second: Sums of the other over the same clusters; where these have two names, the first is swapped.
        measure: The measure of sums, see `slubench.domain.metric.Metric`.
        shuffles: How many swaps; p is at least 1 / (shuffles + 1).

    Raises:
        ValueError: The clusters are not the same.
    """
    if first.names != second.names:
        raise ValueError("models can only be compared over the same clusters")
    if not len(first.sums):
        return 1.0
    names, place = np.unique(np.array(first.names[0], dtype=object), return_inverse=True)
    keys = name_keys(tuple(names), salt="swap")
    apart = first.sums - second.sums
    observed = abs(float(measure(first.total) - measure(second.total)))
    reached = 1
    block = max(1, _CELLS_A_BLOCK // len(apart))
    for start in range(0, shuffles, block):
        numbers = np.arange(start, min(start + block, shuffles), dtype=np.uint64)
        swapped = (draw(keys, numbers) >> np.uint64(63)).astype(np.float64)[:, place] @ apart
        differences = measure(first.total - swapped) - measure(second.total + swapped)
        # Sums made in another order differ in their last digits, which must not undo a tie.
        reached += int(np.count_nonzero(np.abs(differences) >= observed - 1e-12))
    return reached / (shuffles + 1)


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


def half_width(alpha: float, seed: float, sentence: float, seeds: int, clusters: int) -> float:
    """Half the width of the interval of level 1 - alpha, see `slubench.metrics.contrasts`."""
    over_seeds, over_sentences = stdtrit(seeds - 1, alpha / 2), stdtrit(clusters - 1, alpha / 2)
    return math.sqrt(over_seeds**2 * seed + over_sentences**2 * sentence)


def _touching(distance: float, seed: float, sentence: float, seeds: int, clusters: int) -> float:
    """The alpha at which half the width is the distance.

    It lies between those that Student's t gives with either number of degrees of freedom for both parts of
    the variance; from there by false position on logarithms, where the tail is nearly a straight line.
    """
    error = math.sqrt(seed + sentence)
    if distance == 0:
        return 1.0
    if error == 0:
        return _SMALLEST_P
    ends = (2 * float(stdtr(freedom - 1, -distance / error)) for freedom in (seeds, clusters))
    low, high = (math.log(max(end, _SMALLEST_P)) for end in sorted(ends))

    def beyond(place: float) -> float:
        half = half_width(math.exp(place), seed, sentence, seeds, clusters)
        return math.log(half / distance) if half > 0 else -math.inf

    above, below = beyond(low), beyond(high)
    if above <= 0 or below >= 0:
        return math.exp(low if above <= 0 else high)
    while high - low > _NEXT_TO_NONE:
        middle = high - below * (high - low) / (below - above) if below > -math.inf else (low + high) / 2
        now = beyond(middle)
        if abs(now) <= _NEXT_TO_NONE:
            return math.exp(middle)
        # Anderson & Bjorck 1973 (BIT 13): the end that stays counts for less, so that it moves too.
        if now > 0:
            shrink = 1 - now / above
            low, above, below = middle, now, below * (shrink if shrink > 0 else 0.5)
        else:
            shrink = 1 - now / below
            high, below, above = middle, now, above * (shrink if shrink > 0 else 0.5)
    return math.exp(high)
