"""A task: the corpus, the test language, and the languages of training text and speech."""

from __future__ import annotations

from dataclasses import dataclass

from slubench.domain.corpus import Corpus
from slubench.domain.declared_types import check_types
from slubench.domain.strategy import NAME
from slubench.domain.target import TARGETS, Target
from slubench.errors import DeclarationError, UsageError


@dataclass(frozen=True, kw_only=True)
class Task:
    """What a model is tested on, and what it may be trained on.

    A task is cross-lingual when `test_in` is not among `speech_in`; that is no kind of its own.

    Attributes:
        name: As in `massive-de` or `massive-fr-to-de`.
        corpus: Where the rows are.
        test_in: Language of the test (ISO 639-1).
        text_in: Languages of the training transcripts.
        speech_in: Languages of the training recordings.
        train: Split the pools are made of.
        test: Split the answers are scored on.
        validation: Split that a run may look at where its selection says so.
        speech: Split the recordings of the pools are of; empty where it is `train`.
        few: Split of the published few pairs, or empty where there is none.
        target_text: Where all text of the test's language is, for a cross-lingual task.
        unit: What is asked: each of the `recordings`, or one a sentence (`sentences`).
        metrics: Names of the metrics that count; all that apply where there is none.
        data_track: `closed`, or `open` where a machine spoke what is heard.
        summary: One line for listings.
    """

    name: str
    corpus: Corpus
    test_in: str
    text_in: tuple[str, ...]
    speech_in: tuple[str, ...]
    train: str = "train"
    test: str = "test"
    validation: str = "validation"
    speech: str = ""
    few: str = ""
    target_text: Corpus | None = None
    unit: str = "recordings"
    metrics: tuple[str, ...] = ()
    data_track: str = "closed"
    summary: str = ""

    def __post_init__(self) -> None:
        check_types(self, f"the task {self.name}", {"name": "text, as in massive-de"})
        if not NAME.fullmatch(self.name):
            raise DeclarationError(
                f"the name of a task may only contain lower-case letters, digits and hyphens: {self.name!r}"
            )
        for language in {self.test_in, *self.text_in, *self.speech_in}:
            if language not in self.corpus.locales:
                raise DeclarationError(f"{self.name}: corpus {self.corpus.name} has no language {language!r}")
        if self.unit not in ("recordings", "sentences"):
            raise DeclarationError(
                f"{self.name}: the unit must be recordings or sentences, not {self.unit!r}"
            )

    @property
    def speech_split(self) -> str:
        """The split of the pools' recordings."""
        return self.speech or self.train

    @property
    def cross_lingual(self) -> bool:
        """Whether the training speech is in other languages than the test."""
        return self.test_in not in self.speech_in

    @property
    def targets(self) -> tuple[str, ...]:
        """The task's conditions on target-language data (RULES.md, "Budgets")."""
        if not self.cross_lingual:
            return ("none",)
        return tuple(
            name
            for name, target in TARGETS.items()
            if (not target.few or self.few) and (not target.all_text or self.target_text)
        )

    def check_target(self, name: str) -> Target:
        """The task's condition of that name.

        Raises:
            UsageError: It does not; the message says what it knows.
        """
        if name not in self.targets:
            why = "" if self.cross_lingual else ": its training speech is in the test language"
            raise UsageError(
                f"{self.name} has no target data {name!r}{why}. Available: {', '.join(self.targets)}."
            )
        return TARGETS[name]
