"""SLURP's official scoring of a predictions file: lenient, as published, and strict.

As published, gold without a prediction is skipped, so that leaving out what is hard raises the score:
`official` does so, `strict` counts it as wrong everywhere. The last of several predictions for one item
counts; predictions for nothing in the gold are ignored. Source: Bastianelli et al. 2020, arXiv 2011.13205,
and its scripts/evaluation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from slubench.domain.meaning import Meaning
from slubench.metrics.measures import precision_recall_f1
from slubench.metrics.tally import KINDS, Counts, Tally, normalise, tally_answers


class SlurpGold(NamedTuple):
    """The gold of one recording (with gold transcripts: of one sentence)."""

    sentence: str
    meaning: Meaning


class SlurpPrediction(NamedTuple):
    """The prediction for one recording or sentence.

    Attributes:
        meaning: Scenario, action, and the entities that have both a type and a filler.
        spans: What span F1 compares: an entity with a key too many or too few is in it, equal to no gold
            entity, as in the published scorer. None where all are ordinary.
    """

    meaning: Meaning
    spans: tuple[tuple[str, ...], ...] | None = None


def normalised_gold(gold: Mapping[str, SlurpGold]) -> dict[str, SlurpGold]:
    """Gold for the ranked variant (`normalise`)."""
    # Recordings that share a meaning go on sharing it, so that it is normalised and compared once.
    known: dict[int, Meaning] = {}
    for item in gold.values():
        if id(item.meaning) not in known:
            known[id(item.meaning)] = normalise(item.meaning)
    return {name: SlurpGold(item.sentence, known[id(item.meaning)]) for name, item in gold.items()}


def normalised_predictions(
    predictions: Mapping[str, SlurpPrediction | None],
) -> dict[str, SlurpPrediction | None]:
    """Predictions for the ranked variant; entities that are not just a type and a filler lose what is odd."""
    return {
        name: SlurpPrediction(normalise(item.meaning)) if item else None for name, item in predictions.items()
    }


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


def score(gold: Mapping[str, SlurpGold], predictions: Mapping[str, SlurpPrediction | None]) -> SlurpScores:
    """Score predictions, as published and strictly.

    Args:
        gold: By item.
        predictions: By item; None where there is a reply that does not parse, which is wrong in both views.
    """
    tallied = tally_answers(
        (item.meaning, *(predictions.get(name) or (None, None))) for name, item in gold.items()
    )
    predicted = np.fromiter((name in predictions for name in gold), dtype=np.bool_, count=len(gold))
    return SlurpScores(
        official=_breakdowns(tallied, predicted),
        strict=_breakdowns(tallied, np.ones_like(predicted)),
        counts=tallied.counts(),
        predicted=predicted,
        items=tuple(gold),
        sentences=tuple(item.sentence for item in gold.values()),
        missing=int(len(gold) - predicted.sum()),
        extra=len(predictions.keys() - gold.keys()),
    )


def _breakdowns(tallied: Tally, counted: NDArray[np.bool_]) -> dict[str, Breakdown]:
    kinds = dict(zip(KINDS, tallied.by_label(counted), strict=True))
    kinds["slu"] = kinds["word"] + kinds["char"]
    return {kind: _breakdown(tallied.labels, kinds[kind]) for kind in REPORTED}


def _breakdown(labels: Sequence[str | None], sums: NDArray[np.float64]) -> Breakdown:
    # What was not predicted at all is a false positive of no label, so it is in the total alone.
    occurring = sorted((name, at) for at, name in enumerate(labels) if name is not None and sums[at].any())
    table = sums[[at for _, at in occurring]]
    total = sums.sum(axis=0)
    ratios = np.stack(precision_recall_f1(*table.T), axis=1)
    overall = np.array(precision_recall_f1(*total))
    return Breakdown(
        micro=Ratios(*overall.tolist(), *total.tolist()),
        macro=Ratios(*(ratios.sum(axis=0) / max(1, len(occurring))).tolist(), *total.tolist()),
        labels={
            name: Ratios(*row)
            for (name, _), row in zip(occurring, np.hstack((ratios, table)).tolist(), strict=True)
        },
    )
