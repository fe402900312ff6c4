"""Measures of any set of answers, with intervals, from sums that several families of measures keep apart."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from slubench.domain.meaning import Meaning
from slubench.metrics.bootstrap import cluster_sums, percentile_interval, replicate
from slubench.metrics.measures import Values, measure
from slubench.metrics.slots import measure_slots, tally_slots
from slubench.metrics.tally import Counts, tally_all

Members: TypeAlias = NDArray[np.intp]


class Family(NamedTuple):
    """Counts that are summed over answers, and the measures of their sums.

    Attributes:
        counts: Shape (n, K), a row an answer.
        measures: Turns sums of shape (..., K) into the family's measures, each of the leading shape.
    """

    counts: Counts
    measures: Callable[[Counts], dict[str, Values]]


class Measured(NamedTuple):
    """A measure of a set of answers.

    Attributes:
        metric: Its name.
        value: In [0, 1], error rates apart.
        low: Lower end of the 95 % interval of test sampling.
        high: Upper end.
        n: Answers.
        clusters: Sentences.
    """

    metric: str
    value: float
    low: float
    high: float
    n: int
    clusters: int


def families_of(gold: Sequence[Meaning], predicted: Sequence[Meaning | None]) -> list[Family]:
    """The families that every list of answers has: SLURP's measures and Speech-MASSIVE's slot measures."""
    return [
        Family(tally_all(gold, predicted), measure),
        Family(tally_slots(gold, predicted), measure_slots),
    ]


def measured(
    families: Sequence[Family],
    sentences: Sequence[str],
    members: Members | None = None,
    only: Sequence[str] = (),
) -> Iterator[Measured]:
    """Measure some of the answers.

    Args:
        families: Each with a row an answer, in one order.
        sentences: The sentence of each answer: what the bootstrap draws.
        members: Which answers; all where None.
        only: Names of the measures wanted; all where empty.
    """
    at = np.arange(len(sentences)) if members is None else members
    counts = np.hstack([family.counts[at] for family in families])
    clusters = cluster_sums(counts, [sentences[int(place)] for place in at])
    drawn = replicate(clusters)
    start = 0
    for family in families:
        columns = slice(start, start := start + family.counts.shape[1])
        values, replicates = family.measures(clusters.total[columns]), family.measures(drawn[:, columns])
        for name, value in values.items():
            if not only or name in only:
                low, high = percentile_interval(replicates[name])
                yield Measured(name, float(value), low, high, len(at), len(clusters.sums))
