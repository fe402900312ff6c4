"""Random order by SHA-256 of seed and name, the same on every machine."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator, Sequence

from slubench.domain.utterance import Utterance
from slubench.errors import UsageError


def rank(seed: str, name: str) -> bytes:
    """The sort key of a name for a seed."""
    return hashlib.sha256(f"{seed}:{name}".encode()).digest()


def recycled(utterances: Sequence[Utterance], count: int, seed: str) -> Iterator[Utterance]:
    """`count` utterances, in passes over all of them, each pass in a new order.

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
