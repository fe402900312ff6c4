"""The distance between predicted and gold fillers, in words and in characters.

The two distances of SLURP's entity measures (Bastianelli et al. 2020, arXiv 2011.13205, section 5): word
error rate as jiwer computes it, and Levenshtein distance over the longer length.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import Levenshtein
from rapidfuzz.process import cpdist

_BLANKS = re.compile(r"\s\s+")


@lru_cache(maxsize=1 << 14)
def words(text: str) -> tuple[str, ...]:
    """Split as jiwer does: runs of two or more blanks of any kind are one space, then at spaces.

    A single tab or line feed therefore joins its neighbours into one word.
    """
    folded = _BLANKS.sub(" ", text).strip()
    return tuple(folded.split(" ")) if folded else ()


def word_distance(gold: str, predicted: str) -> float:
    """Word edits over the number of gold words; may exceed 1.

    A gold filler without words counts as one word, as in jiwer 4 (`wer("", "a b") == 2`); the definition
    leaves that case open. Nothing against nothing is 0.
    """
    reference = words(gold)
    return Levenshtein.distance(reference, words(predicted)) / max(1, len(reference))


def char_distance(gold: str, predicted: str) -> float:
    """Character edits over the longer length, in [0, 1]; two empty strings are 1 apart, as published."""
    longer = max(len(gold), len(predicted))
    return Levenshtein.distance(gold, predicted) / longer if longer else 1.0


def word_distances(gold: Sequence[str], predicted: Sequence[str]) -> NDArray[np.float64]:
    """`word_distance` of many pairs at once."""
    references, hypotheses = [words(text) for text in gold], [words(text) for text in predicted]
    edits = cpdist(references, hypotheses, scorer=Levenshtein.distance)
    distances: NDArray[np.float64] = edits / np.maximum(1, [len(reference) for reference in references])
    return distances


def char_distances(gold: Sequence[str], predicted: Sequence[str]) -> NDArray[np.float64]:
    """`char_distance` of many pairs at once."""
    edits = cpdist(gold, predicted, scorer=Levenshtein.distance)
    longer = np.maximum([len(text) for text in gold], [len(text) for text in predicted])
    return np.where(longer == 0, 1.0, edits / np.maximum(1, longer))
