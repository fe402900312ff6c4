"""A task: the corpus, the language asked in, and the languages there is text and speech to learn from."""

from __future__ import annotations

from dataclasses import dataclass

from slubench.corpus import Corpus
from slubench.errors import DeclarationError
from slubench.strategy import NAME


@dataclass(frozen=True, kw_only=True)
class Task:
    """What is asked of a model, and what there is to learn it from.

    A task is cross-lingual when `test_in` is not among `speech_in`; that is no kind of its own.

    Attributes:
        name: As in `massive-de` or `massive-fr-to-de`.
        corpus: Where the rows are.
        test_in: Language of the test (ISO 639-1).
        text_in: Languages of the training transcripts.
        speech_in: Languages of the training recordings.
        train: Split the pools are made of.
        test: Split the answers are scored on.
        summary: One line for listings.
    """

    name: str
    corpus: Corpus
    test_in: str
    text_in: tuple[str, ...]
    speech_in: tuple[str, ...]
    train: str = "train"
    test: str = "test"
    summary: str = ""

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.name):
            raise DeclarationError(f"a task's name has lower-case letters, digits and hyphens: {self.name!r}")
        for language in {self.test_in, *self.text_in, *self.speech_in}:
            if language not in self.corpus.locales:
                raise DeclarationError(f"{self.name}: corpus {self.corpus.name} has no language {language!r}")

    @property
    def cross_lingual(self) -> bool:
        """Whether the test's language is not among those spoken in training."""
        return self.test_in not in self.speech_in
