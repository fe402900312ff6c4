"""The field's measures, as functions of summed counts."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from slubench.metrics.tally import Count, Counts

Values: TypeAlias = NDArray[np.float64]

MEASURES = (
    "slu_f1",
    "slu_precision",
    "slu_recall",
    "intent_accuracy",
    "scenario_accuracy",
    "action_accuracy",
    "entity_f1",
    "word_f1",
    "char_f1",
    "exact_match",
    "parse_failures",
)


def precision_recall_f1(tp: Values, fp: Values, fn: Values) -> tuple[Values, Values, Values]:
    """Precision, recall and F1, elementwise.

    Nothing over nothing is 0, as in SLURP's scorer: precision where nothing was predicted, recall where
    there was nothing to find, F1 where both are 0. So a set without gold entities scores 0, not 1, and
    whoever shows it should say that it has none.
    """
    precision = ratio(tp, tp + fp)
    recall = ratio(tp, tp + fn)
    return precision, recall, ratio(2.0 * precision * recall, precision + recall)


def measure(counts: Counts) -> dict[str, Values]:
    """All measures of summed counts, each in [0, 1].

    `slu_*` add word and char counts and make the ratios from the sums (not the mean of two F1s);
    `entity_f1` is span F1. For scenario, action and intent, of which each answer has one, precision, recall,
    F1 and accuracy are the same number. `parse_failures` is a rate, the less the better.

    Args:
        counts: Shape (..., len(Count)): the sum of one set of answers, or of one set a replicate.

    Returns:
        For each name of MEASURES an array of the leading shape (a numpy float for a single vector).
    """
    items = counts[..., Count.ITEMS]

    def entity(first: Count) -> tuple[Values, Values, Values]:
        return precision_recall_f1(counts[..., first], counts[..., first + 1], counts[..., first + 2])

    word = counts[..., Count.WORD_TP : Count.WORD_FN + 1]
    char = counts[..., Count.CHAR_TP : Count.CHAR_FN + 1]
    slu = np.moveaxis(word + char, -1, 0)
    slu_precision, slu_recall, slu_f1 = precision_recall_f1(slu[0], slu[1], slu[2])
    return {
        "slu_f1": slu_f1,
        "slu_precision": slu_precision,
        "slu_recall": slu_recall,
        "intent_accuracy": ratio(counts[..., Count.INTENT_TP], items),
        "scenario_accuracy": ratio(counts[..., Count.SCENARIO_TP], items),
        "action_accuracy": ratio(counts[..., Count.ACTION_TP], items),
        "entity_f1": entity(Count.SPAN_TP)[2],
        "word_f1": entity(Count.WORD_TP)[2],
        "char_f1": entity(Count.CHAR_TP)[2],
        "exact_match": ratio(counts[..., Count.EXACT], items),
        "parse_failures": ratio(counts[..., Count.PARSE_FAILURES], items),
    }


def ratio(above: Values, below: Values) -> Values:
    """Above over below, elementwise, 0 where below is 0."""
    none = below == 0
    quotient: Values = np.where(none, 0.0, above / np.where(none, 1.0, below))[()]
    return quotient
