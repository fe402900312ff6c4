"""Measures of any set of answers, with intervals, from sums that several families of measures keep apart."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from slubench.domain.meaning import Meaning
from slubench.metrics.bootstrap import cluster_sums
from slubench.metrics.measures import Values, measure
from slubench.metrics.sampling import sampled
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
    speakers: Sequence[str] | None = None,
) -> Iterator[Measured]:
    """Measure some of the answers.

    Args:
        families: Each with a row an answer, in one order.
        sentences: The sentence of each answer: what the bootstrap draws.
        members: Which answers; all where None.
        only: Names of the measures wanted; all where empty.
        speakers: The speaker of each answer, sampled too; None where the corpus does not name them.
    """
    at = np.arange(len(sentences)) if members is None else members
    counts = np.hstack([family.counts[at] for family in families])
    factors = [sentences] if speakers is None else [sentences, speakers]
    clusters = cluster_sums(counts, *([names[int(place)] for place in at] for names in factors))
    n, distinct = len(at), len(set(clusters.names[0]))
    for name, one in sampled(clusters, lambda sums: _measures(families, sums)).items():
        if not only or name in only:
            low, high = one.interval()
            yield Measured(name, one.value, low, high, n, distinct)


def _measures(families: Sequence[Family], sums: Counts) -> dict[str, Values]:
    """The measures of all families, whose columns stand side by side."""
    found: dict[str, Values] = {}
    start = 0
    for family in families:
        end = start + family.counts.shape[1]
        found |= family.measures(sums[..., start:end])
        start = end
    return found
