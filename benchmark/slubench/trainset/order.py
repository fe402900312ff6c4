"""The order of everything that a seed draws: by SHA-256 of seed and name, alike on any machine."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator, Sequence

from slubench.domain.utterance import Utterance
from slubench.errors import UsageError


def rank(seed: str, name: str) -> bytes:
    """Where a name stands in the order of a seed."""
    return hashlib.sha256(f"{seed}:{name}".encode()).digest()


def recycled(utterances: Sequence[Utterance], count: int, seed: str) -> Iterator[Utterance]:
    """`count` utterances: pass after pass over all of them, each pass in an order of its own.

    Raises:
        UsageError: There are none.
    """
    given = 0
    for turn in itertools.count():
        if given >= count:
            return
        if not utterances:
            raise UsageError("The task's pool is empty; there is nothing to train on.")
        order = sorted(utterances, key=lambda u: rank(f"{seed}:{turn}", f"{u.language}:{u.key}"))
        yield from order[: count - given]
        given += len(order)
