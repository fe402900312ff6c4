"""Metrics of any set of replies, with intervals, for runs and for prediction files alike."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from slubench.domain.meaning import Meaning
from slubench.domain.metric import Counting, Metric, Of
from slubench.errors import DataError
from slubench.metrics.bootstrap import ClusterSums, cluster_sums
from slubench.metrics.sampling import sampled
from slubench.metrics.tally import Counts, normalise, normalise_text
from slubench.metrics.tokens import Tagged

Members: TypeAlias = NDArray[np.intp]


@dataclass(frozen=True, kw_only=True)
class Replies:
    """The items to measure, in the same order in every field.

    Attributes:
        sentences: The sentence of each item, which intervals sample.
        speakers: The speaker of each item, sampled too; None where they are not known.
        gold: What was meant.
        predicted: What was predicted; None where the reply did not parse or there is none.
        texts: The words that were said.
        transcripts: The words that were understood, None where they are not told.
        gold_labels: Intent and labels of the gold tokens, None where gold has none.
        labels: The same as predicted.
        slots_known: Whether gold knows the slots of each item; of all where empty.
    """

    sentences: Sequence[str]
    gold: Sequence[Meaning]
    predicted: Sequence[Meaning | None]
    texts: Sequence[str]
    transcripts: Sequence[str | None]
    gold_labels: Sequence[Tagged | None] = ()
    labels: Sequence[Tagged | None] = ()
    slots_known: Sequence[bool] = ()
    speakers: Sequence[str] | None = None

    def of(self, what: Of, *, normalised: bool) -> tuple[Sequence[Any], Sequence[Any]] | None:
        """Gold and predicted items of a kind; None if nothing of the kind was predicted.

        Raises:
            DataError: Labels are predicted for an item of which gold has none.
        """
        if what == "meanings":
            if not normalised:
                return self.gold, self.predicted
            return [normalise(one) for one in self.gold], [one and normalise(one) for one in self.predicted]
        if what == "transcripts":
            if all(one is None for one in self.transcripts):
                return None
            if not normalised:
                return self.texts, self.transcripts
            said = [None if one is None else normalise_text(one) for one in self.transcripts]
            return [normalise_text(text) for text in self.texts], said
        if all(one is None for one in self.labels):
            return None
        for sentence, labels in zip(self.sentences, self.gold_labels, strict=True):
            if labels is None:
                raise DataError(f"predictions have labels, but gold has no labels for sentence {sentence}")
        return self.gold_labels, self.labels

    def factors(self, members: Members) -> list[list[str]]:
        """The clusters of items: sentences, and speakers if known."""
        factors = [self.sentences] if self.speakers is None else [self.sentences, self.speakers]
        return [[names[int(at)] for at in members] for names in factors]

    def knows_slots(self, members: Members) -> bool:
        """Whether gold has the slots of all of these items."""
        return not self.slots_known or all(self.slots_known[int(at)] for at in members)


class CountedMetrics(NamedTuple):
    """A counting with its counts, one row for each item, and the metrics based on it."""

    counting: Counting
    counts: Counts
    metrics: tuple[Metric, ...]

    def sums(self, replies: Replies, members: Members) -> ClusterSums:
        """The counts of some items, summed by sentence, and by speaker if known."""
        return cluster_sums(self.counts[members], *replies.factors(members))


class Measured(NamedTuple):
    """A metric of a set of replies.

    Attributes:
        metric: Its name.
        value: In [0, 1], error rates apart.
        low: Lower end of the 95 % interval of test sampling.
        high: Upper end.
        n: Replies.
        clusters: Sentences.
    """

    metric: str
    value: float
    low: float
    high: float
    n: int
    clusters: int


def in_order(metrics: Iterable[Metric]) -> list[Metric]:
    """Metrics in the order of the tables."""
    return sorted(metrics, key=lambda metric: (metric.order, metric.name))


def families_of(
    replies: Replies,
    metrics: Iterable[Metric],
    *,
    normalised: bool,
    counted: Mapping[Counting, Counts] | None = None,
) -> list[CountedMetrics]:
    """Count replies once for each applicable counting.

    Args:
        replies: What is measured.
        metrics: The metrics wanted.
        normalised: Whether both sides are normalised first (ranked), or compared as they are.
        counted: Counts that are known already.

    Raises:
        DataError: A counting gave another shape than it declares, or labels lack gold.
    """
    by_counting: dict[Counting, list[Metric]] = {}
    for metric in in_order(metrics):
        by_counting.setdefault(metric.counting, []).append(metric)
    known = counted or {}
    families = []
    for counting, some in by_counting.items():
        if counting in known:
            families.append(CountedMetrics(counting, known[counting], tuple(some)))
        elif (items := replies.of(counting.of, normalised=normalised)) is not None:
            counts = np.asarray(counting.count(*items), dtype=np.float64)
            expected = (len(replies.sentences), len(counting.columns))
            if counts.shape != expected:
                raise DataError(
                    f"counting {counting.name}: counts of shape {counts.shape}, expected {expected}: a row an"
                    f" item, a column for each of {', '.join(counting.columns)}"
                )
            families.append(CountedMetrics(counting, counts, tuple(some)))
    return families


def measured(
    replies: Replies,
    families: Sequence[CountedMetrics],
    members: Members | None = None,
    only: Callable[[Metric], bool] = lambda metric: True,
) -> Iterator[Measured]:
    """Measure some of the replies; slot metrics are left out if gold has no slots.

    Args:
        replies: All of them.
        families: See `families_of`.
        members: Which replies; all where None.
        only: Which metrics are wanted.
    """
    at = np.arange(len(replies.sentences)) if members is None else members
    slots = replies.knows_slots(at)
    if not families:
        return
    # All families are drawn together: the weights of sentences are the costly part.
    counts = np.hstack([family.counts[at] for family in families])
    clusters = cluster_sums(counts, *replies.factors(at))
    wanted: dict[str, tuple[Metric, slice]] = {}
    start = 0
    for family in families:
        columns = slice(start, start := start + family.counts.shape[1])
        for metric in family.metrics:
            if (slots or not metric.needs_slots) and only(metric):
                wanted[metric.name] = metric, columns
    sentences = len(set(clusters.names[0]))
    found = sampled(
        clusters, lambda sums: {name: one.measure(sums[..., at]) for name, (one, at) in wanted.items()}
    )
    for name, one in found.items():
        low, high = one.interval()
        yield Measured(name, one.value, low, high, len(at), sentences)
