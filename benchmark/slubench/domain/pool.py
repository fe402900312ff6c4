"""The metered pool: all data that a strategy may use."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from slubench.domain.budget import Budget
from slubench.domain.strategy import Example
from slubench.domain.utterance import Clip, SpokenClip, Utterance
from slubench.errors import DeclarationError, SlubenchError


class BudgetError(SlubenchError):
    """A strategy requested data that its task or budget does not allow."""


class ExposureError(BudgetError):
    """A strategy uses clips more often than the rules allow."""


class PredictionsWanted(BaseException):
    """A `compose` asked the model; it is called again when the replies are there.

    Not an `Exception`, so that a strategy that catches those does not catch this.

    Attributes:
        examples: What was asked and has no reply yet, each once.
    """

    def __init__(self, examples: tuple[Example, ...]) -> None:
        super().__init__(f"{len(examples)} predictions")
        self.examples = examples


class SpeechWanted(BaseException):
    """A `compose` wants texts spoken; it is called again when they are.

    Attributes:
        texts: What is to be said, each with its voice, once.
    """

    def __init__(self, texts: tuple[tuple[str, str], ...]) -> None:
        super().__init__(f"{len(texts)} texts")
        self.texts = texts


UNLABELLED = "unlabelled:"
"""Begins the name of a recording that was not bought; it tells neither sentence nor labels."""


@dataclass(frozen=True)
class Unlabelled:
    """A recording that the budget did not buy: audio without transcript and labels.

    Attributes:
        key: Its name, which says nothing of the sentence.
        language: ISO 639-1 code.
        clip: The recording.
    """

    key: str
    language: str
    clip: Clip

    def example(self, target: str = "", weight: float = 1.0) -> Example:
        """An example that hears it: to ask the model, or to learn from what the model replied."""
        return Example((self.clip,), target, self.key, self.language, weight)


@dataclass(frozen=True)
class Pool:
    """The data available for training.

    A strategy's `compose` gets it as its only way to data.

    Attributes:
        written: Transcripts by language; the test's language is among them where the condition on target
            data gives text.
        bought: Recordings by language, in the order of purchase: what the budget bought, and the few of
            the target language where the condition gives them.
        budget: What was to be spent.
        unbought: The other recordings by language, without transcript and labels, where the strategy declares
            `unlabelled=True`; else None.
        replies: What the model replied at the start of the stage, by what it was asked.
        spoken: What a synthesiser said, by text and voice.
        exposures: The clips that the stage may hear, repeats included; what the stages before heard is taken
            off.
    """

    written: Mapping[str, Sequence[Utterance]]
    bought: Mapping[str, Sequence[Utterance]]
    budget: Budget
    unbought: Mapping[str, Sequence[Unlabelled]] | None = None
    replies: Mapping[Example, str] = field(default_factory=dict)
    spoken: Mapping[tuple[str, str], SpokenClip] = field(default_factory=dict)
    exposures: int = 0

    def text(self, language: str | None = None) -> tuple[Utterance, ...]:
        """The transcripts in a language, or in all.

        Raises:
            BudgetError: The task has no text in that language.
        """
        return self._of(self.written, language, "text")

    def speech(self, language: str | None = None) -> tuple[Utterance, ...]:
        """The bought recordings in a language, or in all, in the order of purchase.

        Raises:
            BudgetError: The task has no speech in that language.
        """
        return self._of(self.bought, language, "speech")

    def pairs(self, language: str | None = None) -> tuple[Utterance, ...]:
        """The utterances with both transcript and recording.

        Raises:
            BudgetError: The task has no speech in that language.
        """
        written = {(u.language, u.id) for u in self.text()}
        return tuple(u for u in self.speech(language) if (u.language, u.id) in written)

    def unlabelled(self, language: str | None = None) -> tuple[Unlabelled, ...]:
        """The recordings that the budget did not buy, in a language or in all: audio alone.

        Raises:
            BudgetError: The strategy does not declare that it hears them.
        """
        if self.unbought is None:
            raise BudgetError(
                "The pool has no unlabelled recordings. A strategy that hears them declares it:"
                ' Strategy(unlabelled=True, track="open").'
            )
        return tuple(one for name, part in self.unbought.items() if language in (None, name) for one in part)

    @property
    def heard(self) -> dict[tuple[str, str], Clip]:
        """Every recording that may be heard, bought or not, by language and name."""
        bought = {(u.language, u.key): u.clip for u in self.speech() if u.clip is not None}
        others = {(u.language, u.key): u.clip for part in (self.unbought or {}).values() for u in part}
        return bought | others

    def predict(self, examples: Iterable[Example]) -> tuple[str, ...]:
        """What the model, as it stands at the start of this stage, replies to examples, in their order.

        Their targets do not count. Ask for all at once: each call with something new starts an engine.

        Raises:
            DeclarationError: Something else than examples was asked.
        """
        asked = [asking(example) for example in examples]
        wanted = tuple(dict.fromkeys(one for one in asked if one not in self.replies))
        if wanted:
            raise PredictionsWanted(wanted)
        return tuple(self.replies[one] for one in asked)

    def speak(self, texts: Iterable[str], voices: Sequence[str]) -> tuple[SpokenClip, ...]:
        """Texts as a synthesiser says them, in their order, the voices by turns.

        On the track `open` alone, and where a synthesiser is installed (`slubench[tts]`). What it says counts
        apart, and never as speech of the budget.

        Args:
            texts: What is said: transcripts of the pool, or what the stage's `transform` returns.
            voices: espeak-ng's names, as in `("de", "de+f2")`.

        Raises:
            DeclarationError: A text or voice is no text, or there is none.
        """
        if isinstance(texts, str) or isinstance(voices, str):
            raise DeclarationError(
                "pool.speak takes several texts and voices, as in pool.speak([text], ['de'])"
            )
        several, names = list(texts), list(voices)
        if not names or not all(isinstance(one, str) and one.strip() for one in (*several, *names)):
            raise DeclarationError("pool.speak needs texts that are not empty, and at least one voice")
        asked = [(text, names[place % len(names)]) for place, text in enumerate(several)]
        if wanted := tuple(dict.fromkeys(one for one in asked if one not in self.spoken)):
            raise SpeechWanted(wanted)
        return tuple(self.spoken[one] for one in asked)

    def _of(
        self, rows: Mapping[str, Sequence[Utterance]], language: str | None, kind: str
    ) -> tuple[Utterance, ...]:
        if language is None:
            return tuple(utterance for part in rows.values() for utterance in part)
        if language not in rows:
            allowed = ", ".join(f"{name} ({len(there)})" for name, there in rows.items()) or "none"
            raise BudgetError(
                f"The pool has no {kind} in {language!r}. This task allows {kind} in: {allowed};"
                f" the speech budget is {self.budget}, target data {self.budget.target}."
            )
        return tuple(rows[language])


def asking(example: object) -> Example:
    """An example as it is asked: without target and weight.

    Raises:
        DeclarationError: It is no example.
    """
    if not isinstance(example, Example):
        raise DeclarationError(
            f"pool.predict takes Example values, as Example.spoken(utterance), not {type(example).__name__}."
        )
    return Example(example.parts, "", example.utterance, example.language)
