"""The metered pool: all data that a strategy may use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from slubench.domain.budget import Budget
from slubench.domain.utterance import Utterance
from slubench.errors import SlubenchError


class BudgetError(SlubenchError):
    """A strategy requested data that its task or budget does not allow."""


class ExposureError(BudgetError):
    """A strategy uses clips more often than the rules allow."""


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
    """

    written: Mapping[str, Sequence[Utterance]]
    bought: Mapping[str, Sequence[Utterance]]
    budget: Budget

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
