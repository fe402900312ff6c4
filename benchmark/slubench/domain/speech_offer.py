"""What a strategy that chooses its own clips may see of the recordings for sale, and what it may spend."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Candidate:
    """A recording for sale: neither audio nor labels.

    Attributes:
        name: Tells the recordings of a language apart.
        language: ISO 639-1 code.
        text: The transcript.
        seconds: The recording's length.
        speaker: The speaker's id, None where it is not known.
    """

    name: str
    language: str
    text: str
    seconds: float
    speaker: str | None = None


@dataclass(frozen=True)
class SpeechBudget:
    """What may be bought: a number of clips, or of minutes.

    Attributes:
        clips: The largest number of clips, None where minutes are counted.
        minutes: The largest number of minutes, None where clips are counted.
    """

    clips: int | None = None
    minutes: float | None = None

    def allows(self, chosen: Iterable[Candidate]) -> bool:
        """Whether the budget buys all of these."""
        several = list(chosen)
        if self.clips is not None:
            return len(several) <= self.clips
        return self.minutes is None or sum(one.seconds for one in several) <= 60 * self.minutes + 1e-6

    def fill(self, ordered: Iterable[Candidate]) -> tuple[Candidate, ...]:
        """The first of these, up to the last that the budget buys in that order."""
        bought: list[Candidate] = []
        seconds = 0.0
        for one in ordered:
            seconds += one.seconds
            within = self.minutes is None or seconds <= 60 * self.minutes
            if not within or len(bought) == self.clips:
                break
            bought.append(one)
        return tuple(bought)

    def __str__(self) -> str:
        return f"{self.clips:,} clips" if self.clips is not None else f"{self.minutes:g} minutes"


@dataclass(frozen=True)
class SpeechOffer:
    """The recordings for sale, as `choose(pool, budget, rng)` gets them.

    Attributes:
        candidates: In no particular order.
    """

    candidates: tuple[Candidate, ...]

    def speech(self, language: str | None = None) -> tuple[Candidate, ...]:
        """The recordings for sale in a language, or in all."""
        return tuple(one for one in self.candidates if language in (None, one.language))
