"""SLURP's official scoring of a predictions file, lenient as published and strict beside it.

As published, gold without a prediction is skipped, so that leaving out what is hard raises the score:
`official` does so, `strict` counts it as wrong everywhere. The last of several predictions for one item
counts; predictions for nothing in the gold are ignored. Source: Bastianelli et al. 2020, arXiv 2011.13205,
and its scripts/evaluation.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from slubench.meaning import Meaning
from slubench.metrics.measures import precision_recall_f1
from slubench.metrics.slurp_rows import Gold, Prediction
from slubench.metrics.tally import KINDS, Count, Counts, LabelCount, compare, compare_entities, sums

REPORTED = (*KINDS, "slu")


class Ratios(NamedTuple):
    """Precision, recall and F1, with the counts behind them (for an average over labels, their sums)."""

    precision: float
    recall: float
    f1: float
    tp: float
    fp: float
    fn: float


@dataclass(frozen=True)
class Breakdown:
    """One kind of measure (REPORTED), micro, macro and by label.

    Attributes:
        micro: From the counts of all labels together: the number that is cited.
        macro: Plain mean of the labels' precision, recall and F1.
        labels: By label, for all that occur in gold or predictions, in alphabetical order.
    """

    micro: Ratios
    macro: Ratios
    labels: dict[str, Ratios]


@dataclass(frozen=True)
class SlurpScores:
    """The scores of a predictions file.

    Attributes:
        official: By kind, over the items that have a prediction.
        strict: By kind, over all items.
        counts: Shape (items, len(Count)), for measures and intervals; a missing prediction counts as wrong
            (and as a parse failure).
        predicted: Shape (items,): which items have a prediction. `counts[predicted]` is the official view.
        items: The items' names: files, or sentence ids.
        sentences: The items' sentences: clusters for intervals.
        missing: How many items have no prediction.
        extra: How many predictions are for no item.
    """

    official: dict[str, Breakdown]
    strict: dict[str, Breakdown]
    counts: Counts
    predicted: NDArray[np.bool_]
    items: tuple[str, ...]
    sentences: tuple[str, ...]
    missing: int
    extra: int


def score(gold: Mapping[str, Gold], predictions: Mapping[str, Prediction | None]) -> SlurpScores:
    """Score predictions, as published and strictly.

    Args:
        gold: By item.
        predictions: By item; None where there is a reply that does not parse, which is wrong in both views.
    """
    # Recordings of one sentence share their gold meaning: its identity stands for it, quick to compare.
    known: dict[tuple[int, Prediction | None, bool], int] = {}
    pairs: list[tuple[Meaning, Prediction | None, bool]] = []
    order: list[int] = []
    for name, item in gold.items():
        prediction = predictions.get(name)
        there = prediction is not None or name in predictions
        at = known.setdefault((id(item.meaning), prediction, there), len(pairs))
        if at == len(pairs):
            pairs.append((item.meaning, prediction, there))
        order.append(at)
    times = np.bincount(order, minlength=len(pairs)).tolist()
    vectors: list[list[float]] = []
    given, withheld = _Sums(), _Sums()
    for (meaning, prediction, there), count in zip(pairs, times, strict=True):
        compared = _compare(meaning, prediction)
        vectors.append(sums(compared, parsed=prediction is not None))
        (given if there else withheld).add(compared, count)
    found = np.fromiter((pairs[at][2] for at in order), dtype=np.bool_, count=len(gold))
    return SlurpScores(
        official=given.breakdowns(),
        strict=given.joined(withheld).breakdowns(),
        counts=np.array(vectors, dtype=np.float64).reshape(-1, len(Count))[order],
        predicted=found,
        items=tuple(gold),
        sentences=tuple(item.sentence for item in gold.values()),
        missing=int(len(gold) - found.sum()),
        extra=len(predictions.keys() - gold.keys()),
    )


def _compare(gold: Meaning, prediction: Prediction | None) -> list[LabelCount]:
    if prediction is None or prediction.spans is None:
        return compare(gold, prediction and prediction.meaning)
    labels = compare(
        Meaning(gold.scenario, gold.action), Meaning(prediction.meaning.scenario, prediction.meaning.action)
    )
    return labels + compare_entities(gold.entities, prediction.meaning.entities, prediction.spans)


class _Sums:
    """Counts by kind and label, added up."""

    def __init__(self) -> None:
        self.kinds: dict[str, dict[str | None, list[float]]] = {kind: {} for kind in KINDS}

    def add(self, counts: Iterable[LabelCount], times: int) -> None:
        kinds = self.kinds
        for kind, label, tp, fp, fn in counts:
            labels = kinds[kind]
            total = labels.get(label)
            if total is None:
                total = labels[label] = [0.0, 0.0, 0.0]
            total[0] += times * tp
            total[1] += times * fp
            total[2] += times * fn

    def joined(self, other: _Sums) -> _Sums:
        joined = _Sums()
        for part in (self, other):
            joined.add(part._counts(KINDS), 1)
        return joined

    def breakdowns(self) -> dict[str, Breakdown]:
        slu = _Sums()
        slu.add((count._replace(kind="word") for count in self._counts(("word", "char"))), 1)
        kinds = {**self.kinds, "slu": slu.kinds["word"]}
        return {kind: _breakdown(kinds[kind]) for kind in REPORTED}

    def _counts(self, kinds: Iterable[str]) -> Iterable[LabelCount]:
        return (
            LabelCount(kind, label, *counts) for kind in kinds for label, counts in self.kinds[kind].items()
        )


def _breakdown(labels: Mapping[str | None, list[float]]) -> Breakdown:
    # What was not predicted at all is a false positive of no label, so it is in the total alone.
    names = sorted(label for label in labels if label is not None)
    table = np.array([labels[name] for name in names], dtype=np.float64).reshape(-1, 3)
    total = np.array([*labels.values()], dtype=np.float64).reshape(-1, 3).sum(axis=0)
    ratios = np.stack(precision_recall_f1(table[:, 0], table[:, 1], table[:, 2]), axis=1)
    overall = np.array(precision_recall_f1(total[0], total[1], total[2]))
    return Breakdown(
        micro=Ratios(*overall.tolist(), *total.tolist()),
        macro=Ratios(*(ratios.sum(axis=0) / max(1, len(names))).tolist(), *total.tolist()),
        labels={
            name: Ratios(*row) for name, row in zip(names, np.hstack((ratios, table)).tolist(), strict=True)
        },
    )
