"""TTS augmentation: synthetic speech of the transcripts beside the budget's recordings.

It should help where text is plenty and recordings are few: every transcript can be spoken, in several
voices. Synthetic speech for SLU is the idea of arXiv 2309.09390. It can help as far as its voices sound
like people. Here half of the examples are transcripts, and the others are synthetic but for the budget's
recordings; espeak-ng's voices are far from natural. The row is on the track `open`, and synthetic minutes
count apart. German, French and English voices are used; another language is spoken by espeak-ng's own
voice.
"""

from collections.abc import Iterator
from dataclasses import replace
from random import Random

from slubench import SPEECH, TEXT, Example, Pool, Stage, Strategy

VARIANTS = ("", "+f2", "+m3", "+f3")
SPOKEN = 400


def spoken_too(pool: Pool, rng: Random) -> Iterator[Example]:
    """Recordings and synthetic speech, with as many transcripts."""
    rows = pool.text()[:SPOKEN]
    by_language: dict[str, list[int]] = {}
    for place, utterance in enumerate(rows):
        by_language.setdefault(utterance.language, []).append(place)
    lessons = [Example.spoken(utterance) for utterance in pool.speech()]
    for language, places in by_language.items():
        voices = [language + variant for variant in VARIANTS]
        clips = pool.speak([rows[place].text for place in places], voices)
        lessons += [
            replace(Example.written(rows[place]), parts=(clip,))
            for place, clip in zip(places, clips, strict=True)
        ]
    written = pool.text()
    lessons += [Example.written(rng.choice(written)) for _ in lessons]
    rng.shuffle(lessons)
    yield from lessons


TTS_AUGMENT = Strategy(
    name="tts-augment",
    summary="Direct mixing with synthetic speech of the transcripts",
    source="arXiv 2309.09390",
    track="open",
    stages=(Stage(learns_from=TEXT | SPEECH, compose=spoken_too),),
)
