"""What one answer got right and wrong, as a vector of counts that may be summed.

Every measure of any set of answers is a function of the sum of their vectors, so intervals, slices and
paired comparisons never look at an answer twice. The counts are those of SLURP's scorer (Bastianelli et al.
2020, arXiv 2011.13205); `exact` and `parse_failures` are added.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from enum import IntEnum
from functools import lru_cache
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from slubench.meaning import Entity, Meaning
from slubench.metrics.distance import char_distance, word_distance

Counts: TypeAlias = NDArray[np.float64]
"""Shape (len(Count),), or (..., len(Count)) for several."""


class Count(IntEnum):
    """Where each count stands in the vector. TP, FP and FN of one kind follow one another."""

    ITEMS = 0
    PARSE_FAILURES = 1
    EXACT = 2
    SCENARIO_TP = 3
    SCENARIO_FP = 4
    SCENARIO_FN = 5
    ACTION_TP = 6
    ACTION_FP = 7
    ACTION_FN = 8
    INTENT_TP = 9
    INTENT_FP = 10
    INTENT_FN = 11
    SPAN_TP = 12
    SPAN_FP = 13
    SPAN_FN = 14
    WORD_TP = 15
    WORD_FP = 16
    WORD_FN = 17
    CHAR_TP = 18
    CHAR_FP = 19
    CHAR_FN = 20


COUNT_NAMES = tuple(count.name.lower() for count in Count)
KINDS = ("scenario", "action", "intent", "span", "word", "char")


class LabelCount(NamedTuple):
    """What one answer adds to one label.

    Attributes:
        kind: One of KINDS.
        label: The scenario, action, intent or slot type; None where a reply that is missing or did not
            parse is a false positive of no label at all.
        tp: True positives.
        fp: False positives; a wrong prediction is one of the predicted label.
        fn: False negatives; a wrong prediction is one of the gold label.
    """

    kind: str
    label: str | None
    tp: float
    fp: float
    fn: float


def normalise(meaning: Meaning) -> Meaning:
    """The meaning as ranked measures compare it: fillers in NFC, lower case, white space folded.

    Scenario, action and slot types stay as they are: they are names out of a closed list.
    """
    return Meaning(
        meaning.scenario,
        meaning.action,
        tuple(Entity(entity.type, normalise_text(entity.filler)) for entity in meaning.entities),
    )


def tally(gold: Meaning, predicted: Meaning | None) -> Counts:
    """Count what an answer got right and wrong.

    Gold fillers are lower-cased and the prediction is taken as it is, as SLURP's scorer does. The ranked
    variant is `tally(normalise(gold), normalise(predicted))`.

    Args:
        gold: What was meant.
        predicted: What was answered, or None where the reply did not parse. Then nothing is predicted:
            scenario, action and intent are one false positive and one false negative each, every gold entity
            is a false negative.

    Returns:
        A vector in the order of `Count`.
    """
    return summed(compare(gold, predicted), parsed=predicted is not None)


def tally_all(gold: Sequence[Meaning], predicted: Sequence[Meaning | None]) -> Counts:
    """`tally` of each pair, shape (n, len(Count)); equal pairs are compared once."""
    rows: list[Counts] = []
    known: dict[tuple[Meaning, Meaning | None], int] = {}
    order = np.empty(len(gold), dtype=np.intp)
    for number, pair in enumerate(zip(gold, predicted, strict=True)):
        at = known.setdefault(pair, len(rows))
        if at == len(rows):
            rows.append(tally(*pair))
        order[number] = at
    return np.asarray(rows, dtype=np.float64).reshape(-1, len(Count))[order]


def compare(gold: Meaning, predicted: Meaning | None) -> list[LabelCount]:
    """What an answer adds to the counts of each label; their sum over labels is `tally`."""
    return [
        *_same("scenario", gold.scenario, predicted.scenario if predicted else None),
        *_same("action", gold.action, predicted.action if predicted else None),
        *_same("intent", gold.intent, predicted.intent if predicted else None),
        *compare_entities(gold.entities, predicted.entities if predicted else ()),
    ]


def compare_entities(
    gold: Sequence[Entity],
    predicted: Sequence[Entity],
    spans: Sequence[tuple[str, ...]] | None = None,
) -> list[LabelCount]:
    """Span, word and char counts of one answer's entities.

    Args:
        gold: Gold entities; their fillers are lower-cased here.
        predicted: Predicted entities, as they are.
        spans: What span F1 compares instead of `predicted`, type first, where a foreign file holds entities
            that are not just a type and a filler.
    """
    truth = [Entity(entity.type, entity.filler.lower()) for entity in gold]
    if spans is None:
        if truth == list(predicted) and all(entity.filler for entity in truth):
            return [count for entity in truth for count in _right(entity.type)]
        spans = predicted
    return [
        *_match_spans(truth, spans),
        *_match_nearest("word", truth, predicted),
        *_match_nearest("char", truth, predicted),
    ]


def summed(counts: Iterable[LabelCount], *, parsed: bool = True) -> Counts:
    """The vector of one answer from its counts by label.

    Exact match needs the intent and, in any order, just the gold entities.
    """
    return np.array(sums(counts, parsed=parsed), dtype=np.float64)


def sums(counts: Iterable[LabelCount], *, parsed: bool = True) -> list[float]:
    """`summed` as a plain list, for who sums many."""
    vector = [0.0] * _WIDTH
    vector[_ITEMS] = 1.0
    vector[_PARSE_FAILURES] = 0.0 if parsed else 1.0
    for kind, _, tp, fp, fn in counts:
        at = _FIRST[kind]
        vector[at] += tp
        vector[at + 1] += fp
        vector[at + 2] += fn
    wrong = vector[_INTENT_FP] + vector[_SPAN_FP] + vector[_SPAN_FN]
    vector[_EXACT] = 0.0 if wrong else 1.0
    return vector


# Plain integers: members of an enumeration are slow to index with.
_WIDTH, _ITEMS, _PARSE_FAILURES = len(Count), int(Count.ITEMS), int(Count.PARSE_FAILURES)
_EXACT, _INTENT_FP = int(Count.EXACT), int(Count.INTENT_FP)
_SPAN_FP, _SPAN_FN = int(Count.SPAN_FP), int(Count.SPAN_FN)
_FIRST = {kind: int(Count[f"{kind.upper()}_TP"]) for kind in KINDS}


def normalise_text(text: str) -> str:
    """Text in NFC, lower case, white space folded."""
    # Lowering can take a composed letter apart again, so that NFC comes on both sides of it.
    lowered = unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).lower())
    return " ".join(lowered.split())


@lru_cache(maxsize=1 << 14)
def _same(kind: str, gold: str, predicted: str | None) -> tuple[LabelCount, ...]:
    if gold == predicted:
        return (LabelCount(kind, gold, 1.0, 0.0, 0.0),)
    return LabelCount(kind, predicted, 0.0, 1.0, 0.0), LabelCount(kind, gold, 0.0, 0.0, 1.0)


@lru_cache(maxsize=1 << 12)
def _right(label: str) -> tuple[LabelCount, ...]:
    """An entity that is wholly right, in spans, words and characters."""
    return tuple(LabelCount(kind, label, 1.0, 0.0, 0.0) for kind in KINDS[3:])


def _match_spans(gold: Sequence[Entity], predicted: Sequence[tuple[str, ...]]) -> list[LabelCount]:
    unmatched: list[tuple[str, ...]] = list(gold)
    counts: list[LabelCount] = []
    for entity in predicted:
        if entity in unmatched:
            unmatched.remove(entity)
            counts.append(LabelCount("span", entity[0], 1.0, 0.0, 0.0))
        else:
            counts.append(LabelCount("span", entity[0], 0.0, 1.0, 0.0))
    counts.extend(LabelCount("span", entity[0], 0.0, 0.0, 1.0) for entity in unmatched)
    return counts


def _match_nearest(kind: str, gold: Sequence[Entity], predicted: Sequence[Entity]) -> list[LabelCount]:
    distance = word_distance if kind == "word" else char_distance
    unmatched = list(gold)
    counts: list[LabelCount] = []
    for label, filler in predicted:
        same = [(distance(truth, filler), at) for at, (slot, truth) in enumerate(unmatched) if slot == label]
        if same:
            nearest, at = min(same)
            counts.append(LabelCount(kind, label, 1.0, nearest, nearest))
            del unmatched[at]
        else:
            counts.append(LabelCount(kind, label, 0.0, 1.0, 0.0))
    counts.extend(LabelCount(kind, entity.type, 0.0, 0.0, 1.0) for entity in unmatched)
    return counts
