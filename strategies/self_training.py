"""Self-training: learn from the budget first, then from the model's own replies to unlabelled recordings.

It should help where recordings are plenty and their labels are dear: once the model has learnt from the
budget, its replies are right more often than wrong, and they are of real speech. It asks about four times
as many recordings as were bought and leaves out replies that are no whole label. Cross-modal
self-training is the idea of arXiv 2305.12793. The recordings are those that the budget did not buy: they
count apart, and the row is on the track `open`.
"""

import json
from collections.abc import Iterator
from random import Random

from slubench import SPEECH, TEXT, Example, Pool, Stage, Strategy


def own_labels(pool: Pool, rng: Random) -> Iterator[Example]:
    """The budget's recordings with their labels, others with the model's, and as many transcripts."""
    recordings = pool.unlabelled()[: 4 * len(pool.speech())]
    replies = pool.predict(one.example() for one in recordings)
    lessons = [one.example(reply) for one, reply in zip(recordings, replies, strict=True) if is_label(reply)]
    # What the first stage heard is taken off.
    lessons += [Example.spoken(utterance) for utterance in pool.speech()[: pool.exposures]]
    written = pool.text()
    lessons += [Example.written(rng.choice(written)) for _ in lessons]
    rng.shuffle(lessons)
    yield from lessons


def is_label(reply: str) -> bool:
    """Whether a reply is an object with scenario, action and entities."""
    try:
        content = json.loads(reply)
    except ValueError:
        return False
    return isinstance(content, dict) and set(content) == {"scenario", "action", "entities"}


SELF_TRAINING = Strategy(
    name="self-training",
    summary="The budget first, then the model's own labels of unlabelled recordings",
    source="arXiv 2305.12793",
    track="open",
    unlabelled=True,
    stages=(
        Stage(learns_from=TEXT | SPEECH, share=1 / 2),
        Stage(learns_from=TEXT | SPEECH, share=1 / 2, rate=0.6, compose=own_labels),
    ),
)
