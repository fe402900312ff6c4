"""Test-sampling intervals: a bootstrap over clusters of predictions, with weights computed from names.

Recordings of one sentence rise and fall together, so sentences are resampled and not recordings. Each
cluster's weight in a replicate is Poisson(1), drawn from a hash of the cluster's id and the replicate's
number: the same on any machine and in any version, whatever other clusters there are. Two runs over the
same sentences therefore pair by subtracting their replicates, and so do translations of a sentence.

The law: n draws with replacement give each cluster a Binomial(n, 1/n) weight, which tends to Poisson(1);
independent Poisson weights, conditioned on their sum, are that very multinomial (Hanley & MacGibbon 2006,
"Creating non-parametric bootstrap samples using Poisson frequencies"; Chamandy et al. 2012, "Estimating
uncertainty for massive data streams"). The sum is free here, and cancels: every measure is a ratio of sums.
Where answers vary by two names, as by sentence and speaker, `slubench.metrics.sampling` adds what each
of them does.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext
from functools import cache
from hashlib import blake2b
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, stdtrit

from slubench.metrics.tally import Counts

REPLICATES = 2000
_CELLS_A_BLOCK = 1 << 20  # bounds memory: about 30 MB of weights and hashes at a time


class Interval(NamedTuple):
    """The ends of an interval."""

    low: float
    high: float


@dataclass(frozen=True)
class ClusterSums:
    """Counts summed over the predictions of each cluster, which is all that intervals and comparisons need.

    Attributes:
        names: The clusters' names, one tuple a factor (sentence; or sentence, then speaker), each of
            length C.
        sums: Shape (C, K).
    """

    names: tuple[tuple[str, ...], ...]
    sums: Counts

    @property
    def total(self) -> Counts:
        """The sum over all predictions, shape (K,)."""
        total: Counts = self.sums.sum(axis=0)
        return total


def by_factor(clusters: ClusterSums, factor: int) -> ClusterSums:
    """The sums by one factor alone, such as by sentence over all speakers."""
    return cluster_sums(clusters.sums, clusters.names[factor])


def factor_shares(clusters: ClusterSums) -> list[float]:
    """By how much what each factor does is multiplied before it is added.

    Of sentences and speakers, the former count for sqrt(1 - k), with k the share of the variance over
    sentences that is over speakers too: sum n_c^2 / sum n_s^2 where all answers to a sentence go alike, n_c
    being the answers of one speaker to one sentence and n_s those to a sentence. Elsewhere it is more, so
    this errs on the wide side. Where each sentence has one speaker it is 1, and speakers are all.
    """
    if len(clusters.names) == 1:
        return [1.0]
    _, several = np.unique(np.array(clusters.names[0], dtype=object), return_counts=True)
    twice = len(clusters.sums) / float((several**2).sum()) if len(several) else 0.0
    return [math.sqrt(1 - twice), 1.0]


def cluster_sums(counts: Counts, *factors: Sequence[str]) -> ClusterSums:
    """Sum the counts of predictions by cluster.

    Args:
        counts: Shape (n, K).
        factors: For each answer the name of its sentence; where wanted, that of its speaker too.

    Returns:
        Clusters in the order of their names.

    Raises:
        ValueError: There is no factor, or one is not as long as the counts.
    """
    if not factors or any(len(names) != len(counts) for names in factors):
        raise ValueError("each factor, at least one, must name the cluster of every prediction")
    cells = sorted(set(zip(*factors, strict=True)))
    place = {cell: at for at, cell in enumerate(cells)}
    sums = np.zeros((len(cells), counts.shape[1]))
    np.add.at(sums, [place[cell] for cell in zip(*factors, strict=True)], counts)
    return ClusterSums(tuple(zip(*cells, strict=True)) or tuple(() for _ in factors), sums)


def replicate(clusters: ClusterSums, replicates: int = REPLICATES, salt: str = "0") -> Counts:
    """Summed counts of each replicate, shape (replicates, K), ready for `measure`.

    Args:
        clusters: Of one factor, by which they are resampled; `slubench.metrics.sampling` puts two together.
        replicates: How many.
        salt: Keeps the weights of a sentence and a speaker of one name apart.
    """
    (names,) = clusters.names
    keys = name_keys(names, salt)
    result = np.empty((replicates, clusters.sums.shape[1]))
    block = max(1, _CELLS_A_BLOCK // max(1, len(clusters.sums)))
    for start in range(0, replicates, block):
        numbers = np.arange(start, min(start + block, replicates), dtype=np.uint64)
        result[start : start + len(numbers)] = poisson(keys, numbers).astype(np.float64) @ clusters.sums
    return result


def percentile_interval(
    values: NDArray[np.float64], level: float = 0.95, clusters: float = math.inf
) -> Interval:
    """The middle `level` of a measure's replicates (percentile interval, Efron 1979).

    Of few clusters it would be too narrow. So it is expanded as Student's t is beyond the normal (Hesterberg
    2015, "What teachers should know about the bootstrap", The American Statistician 69).

    Args:
        values: The replicates.
        level: What share of such intervals holds the truth.
        clusters: How many clusters were resampled.
    """
    tail = (1 - level) / 2
    if math.isfinite(clusters):
        n = max(clusters, 2.0)
        tail = float(ndtr(stdtrit(n - 1, tail) * math.sqrt(n / (n - 1))))
    low, high = np.quantile(values, [tail, 1 - tail])
    return Interval(float(low), float(high))


def name_keys(names: Sequence[str], salt: str) -> NDArray[np.uint64]:
    """A 64-bit key for each name; the salt keeps a sentence and a speaker of one name apart."""
    digests = (
        blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8, key=salt.encode()).digest()
        for name in names
    )
    return np.array([int.from_bytes(digest, "little") for digest in digests], dtype=np.uint64)


def draw(keys: NDArray[np.uint64], numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """A uniform 64-bit integer for each number and key, shape (numbers, keys).

    The output function of SplitMix64 (Steele, Lea & Flood 2014) applied to the key plus the number times
    its increment: a counter-based generator, so that any cell can be drawn by itself.
    """
    steps = (numbers + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    state = keys[None, :] + steps[:, None]
    state ^= state >> np.uint64(30)
    state *= np.uint64(0xBF58476D1CE4E5B9)
    state ^= state >> np.uint64(27)
    state *= np.uint64(0x94D049BB133111EB)
    state ^= state >> np.uint64(31)
    return state


def poisson(keys: NDArray[np.uint64], numbers: NDArray[np.uint64]) -> NDArray[np.uint8]:
    """Poisson(1) weights for each number and key, shape (numbers, keys)."""
    # The first 16 bits settle almost every draw; only those that share them with a threshold are looked up.
    thresholds = _thresholds()
    uniform = draw(keys, numbers)
    first = (uniform >> np.uint64(48)).astype(np.uint16)
    weights = _by_first_bits()[first]
    unsettled = weights == 255
    weights[unsettled] = np.searchsorted(thresholds, uniform[unsettled], side="right")
    return weights


@cache
def _thresholds() -> NDArray[np.uint64]:
    """P(N <= k) times 2**64 for k = 0, 1, ..., as exact integers: the same wherever they are computed."""
    with localcontext() as context:
        context.prec = 60
        term = total = Decimal(-1).exp()
        cuts: list[int] = []
        while (cut := int(total * 2**64)) < 2**64 - 1:
            cuts.append(cut)
            term /= len(cuts)
            total += term
    return np.array(cuts, dtype=np.uint64)


@cache
def _by_first_bits() -> NDArray[np.uint8]:
    low = np.arange(1 << 16, dtype=np.uint64) << np.uint64(48)
    high = low | np.uint64((1 << 48) - 1)
    least = np.searchsorted(_thresholds(), low, side="right")
    most = np.searchsorted(_thresholds(), high, side="right")
    return np.where(least == most, least, 255).astype(np.uint8)
