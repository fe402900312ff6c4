"""Slot-type F1 and slot-value CER, the two slot measures that Speech-MASSIVE reports.

Defined by SUPERB (Yang et al. 2021, arXiv 2105.01051, slot filling) and taken over by Speech-MASSIVE (Lee et
al. 2024, arXiv 2408.03900). Both are sums over answers, so intervals and slices come as for every other
measure.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum

import numpy as np
from rapidfuzz.distance import Levenshtein

from slubench.domain.meaning import Entity, Meaning
from slubench.domain.metric import Counting, Metric
from slubench.metrics.measures import Values, ratio
from slubench.metrics.tally import Counts


class SlotCount(IntEnum):
    """The positions of the sums in a prediction's vector."""

    ITEMS = 0
    TYPE_F1 = 1
    EDITS = 2
    CHARACTERS = 3


def tally_slots(gold: Sequence[Meaning], predicted: Sequence[Meaning | None]) -> Counts:
    """The counts of each prediction, shape (n, len(SlotCount)); fillers are compared as given.

    Type F1 is that of the sets of slot types of one answer; 1 where neither side has any. For the CER each
    gold filler is set against the nearest predicted one of its type, against nothing where there is none; a
    predicted filler may serve more than one gold filler, and what is made up costs nothing here.

    Args:
        gold: What was meant.
        predicted: What was answered; None where the reply did not parse, which is wrong everywhere.
    """
    rows = [_one(*pair) for pair in zip(gold, predicted, strict=True)]
    return np.array(rows, dtype=np.float64).reshape(-1, len(SlotCount))


def _one(gold: Meaning, predicted: Meaning | None) -> tuple[float, float, int, int]:
    said = predicted.entities if predicted is not None else ()
    edits = sum(_edits(entity, said) for entity in gold.entities)
    characters = sum(len(entity.filler) for entity in gold.entities)
    return 1.0, 0.0 if predicted is None else _type_f1(gold.entities, said), edits, characters


def _type_f1(gold: Sequence[Entity], said: Sequence[Entity]) -> float:
    wanted, got = {entity.type for entity in gold}, {entity.type for entity in said}
    # 2 P R / (P + R) of two sets is twice their overlap over their sizes.
    return 2 * len(wanted & got) / (len(wanted) + len(got)) if wanted or got else 1.0


def _edits(gold: Entity, said: Sequence[Entity]) -> int:
    fillers = [entity.filler for entity in said if entity.type == gold.type] or [""]
    return min(Levenshtein.distance(gold.filler, filler) for filler in fillers)


SLOTS = Counting("slots", tuple(count.name.lower() for count in SlotCount), tally_slots)
SLOT_METRICS = (
    Metric(
        name="slot_type_f1",
        title="Slot-type F1",
        counting=SLOTS,
        measure=lambda sums: ratio(sums[..., SlotCount.TYPE_F1], sums[..., SlotCount.ITEMS]),
        about="F1 of the set of slot types, mean over utterances",
        order=30,
    ),
    Metric(
        name="slot_value_cer",
        title="Slot-value CER",
        counting=SLOTS,
        measure=lambda sums: ratio(sums[..., SlotCount.EDITS], sums[..., SlotCount.CHARACTERS]),
        about="character edits over the characters of gold fillers; may exceed 100 %",
        more_is_better=False,
        form="percent",
        order=31,
    ),
)


def measure_slots(counts: Counts) -> dict[str, Values]:
    """Mean type F1 in [0, 1], and character edits over gold characters, which may exceed 1.

    Args:
        counts: Shape (..., len(SlotCount)), summed over replies.
    """
    return {metric.name: metric.measure(counts) for metric in SLOT_METRICS}
