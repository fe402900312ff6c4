"""Reasoning as an auxiliary target: half of the recordings are answered with their words first.

It should help where the model goes wrong in hearing and not in understanding: to say the words first is
the simplest reasoning about a recording. The other half is answered with the meaning alone, which is what
the test asks, so that nothing is slower when it counts. Reasoning as an auxiliary loss is the idea of
RG-FT (Interspeech 2026), slot filling as reasoning that of arXiv 2510.19326.
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from random import Random

from slubench import SPEECH, TEXT, Example, Pool, Stage, Strategy, Utterance


def words_first(pool: Pool, rng: Random) -> Iterator[Example]:
    """Recordings, every other one with its transcript in the target, among more transcripts."""
    recordings = list(pool.speech())
    rng.shuffle(recordings)
    written = pool.text()
    for number, utterance in enumerate(recordings):
        yield with_words(utterance) if number % 2 else Example.spoken(utterance)
        for _ in range(3):
            yield Example.written(rng.choice(written))


def with_words(utterance: Utterance) -> Example:
    """The recording, answered by its words and then its meaning."""
    example = Example.spoken(utterance)
    meaning = json.loads(example.target)
    target = json.dumps({"transcript": utterance.text, **meaning}, ensure_ascii=False)
    return replace(example, target=target)


REASONING_TARGET = Strategy(
    name="reasoning-target",
    summary="Half of the recordings are answered with their words before their meaning",
    source="arXiv 2510.19326",
    stages=(Stage(learns_from=TEXT | SPEECH, compose=words_first),),
)
