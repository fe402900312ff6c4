"""The lenient reading beside the strict one: what replies are worth once their format is forgiven.

Neither is ranked by these; the difference tells how much of a model's failure is format, see
`slubench.domain.lenient_reply`. All are counted of the whole test alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from slubench.domain.meaning import Meaning
from slubench.domain.metric import Counting, Metric
from slubench.metrics.measures import precision_recall_f1, ratio
from slubench.metrics.tally import Count, tally_all

_KEPT = (
    Count.INTENT_TP,
    Count.EXACT,
    Count.WORD_TP,
    Count.WORD_FP,
    Count.WORD_FN,
    Count.CHAR_TP,
    Count.CHAR_FP,
    Count.CHAR_FN,
)
_NAMES = tuple(count.name.lower() for count in _KEPT)
_STRICT, _LENIENT = 1, 1 + len(_KEPT)

Readings = tuple[Meaning | None, Meaning | None]
"""What a reply means strictly read, and leniently."""
Values = NDArray[np.float64]


def count_readings(gold: Sequence[Meaning], readings: Sequence[Readings]) -> Values:
    """Counts of both readings of each reply, beside each other."""
    strict = tally_all(gold, [one for one, _ in readings])[:, _KEPT]
    lenient = strict.copy()
    unlike = [at for at, (one, other) in enumerate(readings) if one != other]
    if unlike:
        lenient[unlike] = tally_all([gold[at] for at in unlike], [readings[at][1] for at in unlike])[:, _KEPT]
    return np.hstack([np.ones((len(gold), 1)), strict, lenient])


READINGS = Counting(
    "readings",
    ("items", *(f"strict_{name}" for name in _NAMES), *(f"lenient_{name}" for name in _NAMES)),
    count_readings,
    of="readings",
)


def _slu_f1(start: int) -> Callable[[Values], Values]:
    words, chars = start + _KEPT.index(Count.WORD_TP), start + _KEPT.index(Count.CHAR_TP)
    return lambda sums: precision_recall_f1(
        *(sums[..., words + at] + sums[..., chars + at] for at in range(3))
    )[2]


def _rate(count: Count) -> Callable[[int], Callable[[Values], Values]]:
    return lambda start: lambda sums: ratio(sums[..., start + _KEPT.index(count)], sums[..., 0])


def _less(of: Callable[[int], Callable[[Values], Values]]) -> Callable[[Values], Values]:
    return lambda sums: of(_LENIENT)(sums) - of(_STRICT)(sums)


_MEASURED = (
    ("slu_f1", "SLU-F1", _slu_f1, True),
    ("intent_accuracy", "Intent accuracy", _rate(Count.INTENT_TP), False),
    ("exact_match", "Exact match", _rate(Count.EXACT), True),
)

READING_METRICS = tuple(
    metric
    for order, (name, title, of, needs_slots) in enumerate(_MEASURED)
    for metric in (
        Metric(
            name=f"lenient_{name}",
            title=f"{title}, lenient reading",
            counting=READINGS,
            measure=of(_LENIENT),
            about="accepts code fences, text around the JSON, numbers as values, extra keys; not ranked",
            needs_slots=needs_slots,
            order=40 + 2 * order,
        ),
        Metric(
            name=f"format_{name}",
            title=f"{title}, format",
            counting=READINGS,
            measure=_less(of),
            about="lenient minus strict reading: the loss caused by format alone",
            needs_slots=needs_slots,
            order=41 + 2 * order,
        ),
    )
)
READING_NAMES = frozenset(metric.name for metric in READING_METRICS)
