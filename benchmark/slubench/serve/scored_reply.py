"""A reply with the log-probabilities of its tokens, as one engine tells them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from slubench.serve.replies import Reply

BEST: Final = 8
"""Log-probabilities of so many best tokens are compared at each place of a reply."""

ALL: Final = "all"
"""The whole adapter, among the kinds of modules that it changes."""


@dataclass(frozen=True, kw_only=True)
class ScoredReply:
    """A reply, token by token.

    Attributes:
        reply: The reply.
        tokens: Its tokens, the closing one included.
        best: For each token, the log-probabilities of the likeliest tokens at its place, by token; of
            the first ones alone where the reply can't be read again behind one.
        without: For each kind of module that the adapter changes, and `ALL`, the log-probabilities of the
            tokens of `best` in their order with the adapter switched off in those modules.
    """

    reply: Reply
    tokens: tuple[int, ...]
    best: tuple[Mapping[int, float], ...]
    without: Mapping[str, Sequence[Sequence[float]]] = field(default_factory=dict)
