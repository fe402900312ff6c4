"""Self-generated targets: a fifth of the updates keep what the base model replies to transcripts.

It should help against forgetting: targets that the model itself gave before training pull it least away
from what it could. Self-generated targets are the idea of arXiv 2507.02768. Here the base model is asked
about transcripts when the run begins, and its replies are replayed with a small weight among the labelled
examples.
"""

from collections.abc import Iterator
from dataclasses import replace
from random import Random

from slubench import SPEECH, TEXT, Example, Pool, Stage, Strategy

ASKED = 200


def own_replies(pool: Pool, rng: Random) -> Iterator[Example]:
    """Recordings and transcripts as labelled, every fifth example as the base model replied."""
    asked = [Example.written(utterance) for utterance in pool.text()[:ASKED]]
    replies = pool.predict(asked)
    kept = [
        replace(example, target=reply, weight=0.2)
        for example, reply in zip(asked, replies, strict=True)
        if reply.strip()
    ]
    recordings = list(pool.speech())
    rng.shuffle(recordings)
    written = pool.text()
    for utterance in recordings:
        yield Example.spoken(utterance)
        for _ in range(3):
            yield Example.written(rng.choice(written))
        yield rng.choice(kept) if kept else Example.written(rng.choice(written))


SELF_GENERATED_TARGETS = Strategy(
    name="self-generated-targets",
    summary="Direct mixing, with a fifth of replies that the base model itself gave",
    source="arXiv 2507.02768",
    stages=(Stage(learns_from=TEXT | SPEECH, compose=own_replies),),
)
