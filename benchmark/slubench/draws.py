"""In which order clips are bought: one order a data seed, the same on any machine.

Every budget is a prefix of its order, so that a smaller budget's clips are among a larger one's.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from fractions import Fraction

from slubench.utterance import Utterance


def uniform(pool: Iterable[Utterance], data_seed: int) -> list[Utterance]:
    """The pool by SHA-256 of data seed and sentence id; a sentence's recordings stand together."""

    def place(utterance: Utterance) -> tuple[bytes, str, str]:
        return _digest(f"{data_seed}:{utterance.id}"), utterance.language, utterance.recording

    return sorted(pool, key=place)


def stratified(pool: Iterable[Utterance], data_seed: int) -> list[Utterance]:
    """The pool so that every prefix holds each intent in about its share.

    The k-th of an intent's n sentences stands at (2 k + 1) / 2 n, and the hash orders what stands alike.
    """
    sentences: dict[str, dict[str, None]] = defaultdict(dict)
    ordered = uniform(pool, data_seed)
    for utterance in ordered:
        sentences[utterance.meaning.intent][utterance.id] = None
    places = {
        identity: Fraction(2 * number + 1, 2 * len(members))
        for members in sentences.values()
        for number, identity in enumerate(members)
    }
    # Sorting is stable: what stands alike keeps its order by the hash.
    return sorted(ordered, key=lambda utterance: places[utterance.id])


def first_sentences(ordered: Sequence[Utterance], count: int) -> list[Utterance]:
    """All recordings of the first `count` sentences."""
    wanted = set(list(dict.fromkeys(utterance.id for utterance in ordered))[:count])
    return [utterance for utterance in ordered if utterance.id in wanted]


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
