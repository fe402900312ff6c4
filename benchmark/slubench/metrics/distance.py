"""How far a predicted filler lies from the gold one, in words and in characters.

The two distances of SLURP's entity measures (Bastianelli et al. 2020, arXiv 2011.13205, section 5): word
error rate as jiwer computes it, and Levenshtein distance over the longer length.
"""

from __future__ import annotations

import re
from functools import lru_cache

from rapidfuzz.distance import Levenshtein

_BLANKS = re.compile(r"\s\s+")


def words(text: str) -> list[str]:
    """Split as jiwer does: runs of two or more blanks of any kind are one space, then at spaces.

    A single tab or line feed therefore joins its neighbours into one word.
    """
    return [word for word in _BLANKS.sub(" ", text).strip().split(" ") if word]


@lru_cache(maxsize=1 << 16)
def word_distance(gold: str, predicted: str) -> float:
    """Word edits over the number of gold words; may exceed 1.

    A gold filler without words counts as one word, as in jiwer 4 (`wer("", "a b") == 2`); the definition
    leaves that case open. Nothing against nothing is 0.
    """
    if gold == predicted:
        return 0.0
    reference = words(gold)
    return Levenshtein.distance(reference, words(predicted)) / max(1, len(reference))


@lru_cache(maxsize=1 << 16)
def char_distance(gold: str, predicted: str) -> float:
    """Character edits over the longer length, in [0, 1]; two empty strings are 1 apart, as published."""
    longer = max(len(gold), len(predicted))
    if not longer:
        return 1.0
    return 0.0 if gold == predicted else Levenshtein.distance(gold, predicted) / longer
