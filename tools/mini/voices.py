"""The speakers: known ones for training, and others, with their own ways to speak, for the test alone."""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import cache
from typing import Literal, NamedTuple

Sex = Literal["Male", "Female"]


@dataclass(frozen=True)
class Speaker:
    """One synthetic person.

    Attributes:
        speaker_id: `de-known-03`.
        language: `de`, `fr` or `en`.
        voice: espeak-ng's accent and variant, `de+f2`.
        rate: words a minute the person speaks on average.
        pitch: the person's mean pitch, 0 to 99.
        sex: as in Speech-MASSIVE.
        age: years, as a string, as in Speech-MASSIVE.
        country: of birth, residence and nationality.
        first_language: by its English name.
        unseen: whether the person is heard in the test alone.
    """

    speaker_id: str
    language: str
    voice: str
    rate: int
    pitch: int
    sex: Sex
    age: str
    country: str
    first_language: str
    unseen: bool


class Manner(NamedTuple):
    """How one utterance is spoken: words a minute, and pitch from 0 to 99."""

    rate: int
    pitch: int


_FIRST_LANGUAGE = {"de": "German", "fr": "French", "en": "English"}
_ACCENTS = {
    "de": (("de", "Germany"),),
    "fr": (("fr", "France"), ("fr", "France"), ("fr-be", "Belgium"), ("fr-ch", "Switzerland")),
    "en": (("en-us", "United States"), ("en-us", "United States"), ("en", "United Kingdom")),
}
# Variant, words a minute, pitch. Known: rates 145-215 and pitches 28-72 after jitter.
_KNOWN = (
    ("m1", 175, 50), ("m2", 165, 42), ("m3", 185, 46), ("m4", 170, 38), ("m5", 195, 52), ("m6", 160, 44),
    ("f1", 178, 54), ("f2", 168, 60), ("f3", 188, 50), ("f4", 172, 58), ("Lee", 182, 48),
    ("Annie", 176, 56), ("Mike", 166, 40), ("m1", 200, 36), ("f2", 196, 66), ("m3", 158, 60),
    ("f4", 158, 46), ("Lee", 202, 62),
)  # fmt: skip
# Unseen: other variants, and rates 130-230, pitches 18-82 after jitter.
_UNSEEN = (
    ("m7", 150, 28), ("f5", 190, 72), ("Andy", 210, 40), ("Gene", 145, 60),
    ("m7", 215, 66), ("f5", 148, 40), ("Andy", 165, 70), ("Gene", 195, 30),
)  # fmt: skip
_FEMALE = {"f1", "f2", "f3", "f4", "f5", "Annie"}
_JITTER = {False: (10, 4), True: (15, 10)}


@cache
def speakers(language: str, *, unseen: bool) -> tuple[Speaker, ...]:
    """Return a language's speakers: 18 known ones, or the 8 that only the test hears."""
    accents = _ACCENTS[language]
    people = []
    for number, (variant, rate, pitch) in enumerate(_UNSEEN if unseen else _KNOWN):
        accent, country = accents[number % len(accents)]
        people.append(
            Speaker(
                speaker_id=f"{language}-{'unseen' if unseen else 'known'}-{number:02d}",
                language=language,
                voice=f"{accent}+{variant}",
                rate=rate,
                pitch=pitch,
                sex="Female" if variant in _FEMALE else "Male",
                age=str(19 + (number * 11 + rate) % 50),
                country=country,
                first_language=_FIRST_LANGUAGE[language],
                unseen=unseen,
            )
        )
    return tuple(people)


def manner(speaker: Speaker, rng: random.Random) -> Manner:
    """Draw how a speaker says one utterance, around the speaker's own rate and pitch."""
    rate, pitch = _JITTER[speaker.unseen]
    return Manner(speaker.rate + rng.randint(-rate, rate), speaker.pitch + rng.randint(-pitch, pitch))
