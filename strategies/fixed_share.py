"""Fixed share: every batch holds a tenth of speech, from start to end.

It should help where recordings are few: direct mixing draws where a recording falls, so that some updates
hear many and some none; a fixed share gives every update the same. Mixed batching with 10 % of speech in
every batch is the idea of arXiv 2604.06487. Recordings repeat until the rules' clip exposures are used
up.
"""

from collections.abc import Iterator
from random import Random

from slubench import SPEECH, TEXT, Example, Pool, Stage, Strategy

TEXTS_PER_CLIP = 9


def a_tenth(pool: Pool, rng: Random) -> Iterator[Example]:
    """A recording, then nine transcripts, until every recording was heard once."""
    recordings = list(pool.speech())
    rng.shuffle(recordings)
    written = list(pool.text())
    rng.shuffle(written)
    place = 0
    for utterance in recordings:
        yield Example.spoken(utterance)
        for _ in range(TEXTS_PER_CLIP):
            yield Example.written(written[place % len(written)])
            place += 1


FIXED_SHARE = Strategy(
    name="fixed-share",
    summary="A tenth of speech in every batch",
    source="arXiv 2604.06487",
    stages=(Stage(learns_from=TEXT | SPEECH, compose=a_tenth),),
)
