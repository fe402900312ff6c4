"""SLURP's metrics: SLU-F1 and its parts, intent, exact match, invalid replies.

All share the counts of `slubench.metrics.tally`. Source: Bastianelli et al. 2020, arXiv 2011.13205, section
5, and its scripts/evaluation; exact match and parse failures are added.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from slubench.domain.metric import Counting, Metric
from slubench.metrics.tally import COUNT_NAMES, Count, Counts, tally_all

Values: TypeAlias = NDArray[np.float64]

SLURP = Counting("slurp", COUNT_NAMES, tally_all)


def precision_recall_f1(tp: Values, fp: Values, fn: Values) -> tuple[Values, Values, Values]:
    """Precision, recall and F1, elementwise.

    Nothing over nothing is 0, as in SLURP's scorer: precision where nothing was predicted, recall where
    there was nothing to find, F1 where both are 0. So a set without gold entities scores 0, not 1, and
    whoever shows it should say that it has none.
    """
    precision = ratio(tp, tp + fp)
    recall = ratio(tp, tp + fn)
    return precision, recall, ratio(2.0 * precision * recall, precision + recall)


def ratio(above: Values, below: Values) -> Values:
    """Elementwise division, 0 where the denominator is 0."""
    none = below == 0
    quotient: Values = np.where(none, 0.0, above / np.where(none, 1.0, below))[()]
    return quotient


def _per_item(count: Count) -> Callable[[Counts], Values]:
    return lambda sums: ratio(sums[..., count], sums[..., Count.ITEMS])


def _f1(first: Count) -> Callable[[Counts], Values]:
    """F1 of the three counts from `first` on."""
    return lambda sums: precision_recall_f1(*(sums[..., first + at] for at in range(3)))[2]


def _slu(sums: Counts) -> tuple[Values, Values, Values]:
    """Precision, recall and F1 of word and char counts added up (not the mean of two F1s)."""
    tp, fp, fn = (sums[..., Count.WORD_TP + at] + sums[..., Count.CHAR_TP + at] for at in range(3))
    return precision_recall_f1(tp, fp, fn)


SLURP_METRICS = (
    Metric(
        name="slu_f1",
        title="SLU-F1",
        counting=SLURP,
        measure=lambda sums: _slu(sums)[2],
        about="the main score: slot types and fillers, with partial credit for similar fillers",
        headline=True,
        order=10,
    ),
    # Of scenario, action and intent each reply has one, so that precision, recall, F1 and accuracy are one.
    Metric(
        name="intent_accuracy",
        title="Intent accuracy",
        counting=SLURP,
        measure=_per_item(Count.INTENT_TP),
        about="accuracy of scenario and action together",
        needs_slots=False,
        headline=True,
        order=11,
    ),
    Metric(
        name="entity_f1",
        title="Entity F1",
        counting=SLURP,
        measure=_f1(Count.SPAN_TP),
        about="type and filler exactly right",
        headline=True,
        order=12,
    ),
    Metric(
        name="exact_match",
        title="Exact match",
        counting=SLURP,
        measure=_per_item(Count.EXACT),
        about="intent and all entities right",
        headline=True,
        order=13,
    ),
    Metric(
        name="parse_failures",
        title="Invalid replies",
        counting=SLURP,
        measure=_per_item(Count.PARSE_FAILURES),
        about="replies that are not valid JSON in the expected format; they count as wrong",
        needs_slots=False,
        more_is_better=False,
        form="percent",
        order=14,
    ),
    Metric(
        name="slu_precision",
        title="SLU precision",
        counting=SLURP,
        measure=lambda sums: _slu(sums)[0],
        order=20,
    ),
    Metric(
        name="slu_recall", title="SLU recall", counting=SLURP, measure=lambda sums: _slu(sums)[1], order=21
    ),
    Metric(
        name="scenario_accuracy",
        title="Scenario accuracy",
        counting=SLURP,
        measure=_per_item(Count.SCENARIO_TP),
        needs_slots=False,
        order=22,
    ),
    Metric(
        name="action_accuracy",
        title="Action accuracy",
        counting=SLURP,
        measure=_per_item(Count.ACTION_TP),
        needs_slots=False,
        order=23,
    ),
    Metric(
        name="word_f1",
        title="Word F1",
        counting=SLURP,
        measure=_f1(Count.WORD_TP),
        about="the word-based part of SLU-F1",
        order=24,
    ),
    Metric(
        name="char_f1",
        title="Char F1",
        counting=SLURP,
        measure=_f1(Count.CHAR_TP),
        about="the character-based part of SLU-F1",
        order=25,
    ),
)
MEASURES = tuple(metric.name for metric in SLURP_METRICS)


def measure(counts: Counts) -> dict[str, Values]:
    """All metrics of SLURP's family, each in [0, 1].

    Args:
        counts: Shape (..., len(Count)): the sum of one set of replies, or of one set a replicate.

    Returns:
        For each name of MEASURES an array of the leading shape (a numpy float for a single vector).
    """
    return {metric.name: metric.measure(counts) for metric in SLURP_METRICS}
