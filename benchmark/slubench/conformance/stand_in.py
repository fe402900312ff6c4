"""Replies and speech for composing a strategy where there is neither model nor synthesiser."""

from __future__ import annotations

from collections.abc import Sequence

from slubench.domain.meaning import as_reply
from slubench.domain.pool import Pool
from slubench.domain.strategy import Example
from slubench.domain.utterance import SpokenClip
from slubench.trainset.exposure import StageExamples
from slubench.trainset.order import rank
from slubench.trainset.train_set import Predictor


def stand_in(pool: Pool) -> Predictor:
    """What a model would reply to `pool.predict`, without a model: what is right, or another's reply.

    Every third question about a labelled utterance, and every one about another, gets the reply that is right
    for some utterance of the pool.
    """
    rows = (*pool.speech(), *pool.text())
    right = {(u.language, u.key): as_reply(u.meaning) for u in rows}
    replies = sorted(set(right.values()))

    def predict(
        number: int, before: Sequence[StageExamples], wanted: Sequence[Example]
    ) -> dict[Example, str]:
        given = {}
        for example in wanted:
            drawn = int.from_bytes(rank(str(number), f"{example.language}:{example.utterance}")[:8])
            own = right.get((example.language, example.utterance)) if drawn % 3 else None
            given[example] = own or replies[drawn % len(replies)]
        return given

    return predict


def say_nothing(wanted: Sequence[tuple[str, str]]) -> dict[tuple[str, str], SpokenClip]:
    """What a synthesiser would say, without sound."""
    return {(text, voice): SpokenClip("", None, text, voice) for text, voice in wanted}
