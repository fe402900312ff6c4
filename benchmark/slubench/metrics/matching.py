"""Matches predicted with gold entities, in the two ways of SLURP's entity measures.

Span F1 asks for equality of type and filler. Word and char F1 walk the predicted entities in their order and
give each the nearest gold entity of its type that is still free (Bastianelli et al. 2020, arXiv 2011.13205,
section 5, and its scripts/evaluation).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

Mark: TypeAlias = tuple[str, float, float, float]
"""What an entity adds to the counts of its type: the type, then true and false positives, false negatives."""

Spans: TypeAlias = tuple[tuple[str, ...], ...]
"""Entities as span F1 compares them, type first."""


def match_spans(gold: Sequence[tuple[str, ...]], predicted: Sequence[tuple[str, ...]]) -> list[Mark]:
    """The marks of span F1: an entity is right if it equals an unmatched gold entity."""
    free = list(gold)
    marks: list[Mark] = []
    for entity in predicted:
        if entity in free:
            free.remove(entity)
            marks.append((entity[0], 1.0, 0.0, 0.0))
        else:
            marks.append((entity[0], 0.0, 1.0, 0.0))
    for entity in free:
        marks.append((entity[0], 0.0, 0.0, 1.0))
    return marks


def match_nearest(
    gold: Sequence[tuple[str, str]],
    predicted: Sequence[tuple[str, str]],
    distance: Callable[[str, str], float],
) -> list[Mark]:
    """The marks of word or char F1.

    Args:
        gold: Gold entities, type and filler as they are compared.
        predicted: Predicted entities, in order.
        distance: How far a predicted filler (second) is from the gold one; of several gold entities that are
            equally near the first is taken.
    """
    free = list(gold)
    marks: list[Mark] = []
    for label, filler in predicted:
        nearest, at = 0.0, -1
        for place, (slot, truth) in enumerate(free):
            if slot == label:
                apart = distance(truth, filler)
                if at < 0 or apart < nearest:
                    nearest, at = apart, place
        if at < 0:
            marks.append((label, 0.0, 1.0, 0.0))
        else:
            marks.append((label, 1.0, nearest, nearest))
            del free[at]
    for label, _ in free:
        marks.append((label, 0.0, 0.0, 1.0))
    return marks
