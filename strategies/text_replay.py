"""Replay: text first, then recordings with a fifth of text replayed beside them.

It should help where the second stage would make the model forget what it learnt from text: a small share
of the earlier data in every batch may keep it. Replay beside model merging is in arXiv 2505.17496. Here
the first half of the updates is text; in the second, four of five examples are recordings.
"""

from collections.abc import Iterator
from random import Random

from slubench import SPEECH, TEXT, Example, Pool, Stage, Strategy


def with_replay(pool: Pool, rng: Random) -> Iterator[Example]:
    """Four recordings, then a transcript of any utterance."""
    recordings = list(pool.speech())[: pool.exposures]
    rng.shuffle(recordings)
    written = pool.text()
    for number, utterance in enumerate(recordings, 1):
        yield Example.spoken(utterance)
        if number % 4 == 0:
            yield Example.written(rng.choice(written))


REPLAY = Strategy(
    name="replay",
    summary="Text first, then recordings with a fifth of text replayed",
    source="arXiv 2505.17496",
    stages=(
        Stage(learns_from=TEXT, share=1 / 2),
        Stage(learns_from=TEXT | SPEECH, share=1 / 2, rate=0.6, compose=with_replay),
    ),
)
