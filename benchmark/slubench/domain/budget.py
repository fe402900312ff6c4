"""A budget: how much speech may be used, how it is selected, and which target-language data is added."""

from __future__ import annotations

import dataclasses
import hashlib
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from slubench.domain.target import TARGETS, Target
from slubench.domain.utterance import Utterance
from slubench.errors import UsageError


def uniform(pool: Iterable[Utterance], data_seed: int) -> list[Utterance]:
    """The pool in the order of SHA-256 of data seed and sentence id, a sentence's recordings together."""

    def place(utterance: Utterance) -> tuple[bytes, str, str]:
        return _digest(f"{data_seed}:{utterance.id}"), utterance.language, utterance.recording

    return sorted(pool, key=place)


def stratified(pool: Iterable[Utterance], data_seed: int) -> list[Utterance]:
    """The pool in an order in which every prefix has about each intent's share.

    The k-th of an intent's n sentences stands at (2 k + 1) / 2 n, and the hash orders what stands alike.
    """
    sentences: dict[str, dict[str, None]] = defaultdict(dict)
    ordered = uniform(pool, data_seed)
    for utterance in ordered:
        sentences[utterance.meaning.intent][utterance.id] = None
    places = {
        identity: Fraction(2 * number + 1, 2 * len(members))
        for members in sentences.values()
        for number, identity in enumerate(members)
    }
    # Sorting is stable: what stands alike keeps its order by the hash.
    return sorted(ordered, key=lambda utterance: places[utterance.id])


def first_sentences(ordered: Sequence[Utterance], count: int) -> list[Utterance]:
    """All recordings of the first `count` sentences."""
    wanted = set(list(dict.fromkeys(utterance.id for utterance in ordered))[:count])
    return [utterance for utterance in ordered if utterance.id in wanted]


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


FEW = "few115"
FORMS = f"a share (5%), minutes (20min), utterances (230), {FEW} or 0"
STRATIFIED, ALL_RECORDINGS = "stratified", "all-recordings"
OPTIONS = (STRATIFIED, ALL_RECORDINGS)


@dataclass(frozen=True)
class Budget:
    """How much speech a strategy may use, and which data in the test's language.

    Attributes:
        amount: In `unit`s; a share is between 0 and 1.
        unit: `share`, `minutes`, `utterances` or `few115` (the published 115, whatever the data seed).
        stratified: Whether every intent is drawn in its share; not ranked.
        all_recordings: Whether all recordings of a drawn sentence are bought, instead of one.
        target: Condition on target-language data, see `slubench.domain.target`.
    """

    amount: Fraction
    unit: str = "share"
    stratified: bool = False
    all_recordings: bool = False
    target: str = "none"

    @classmethod
    def parse(cls, text: str) -> Budget:
        """Parse `5%`, `20min`, `230`, `few115` or `0`, optionally with `+stratified` or `+all-recordings`.

        Raises:
            UsageError: It is none of these, negative, or a share above 100 %.
        """
        amount, *options = (part.strip() for part in text.strip().lower().split("+"))
        budget = cls(Fraction(115), FEW) if amount == FEW else cls._amount(amount, text)
        for option in options:
            if option not in OPTIONS:
                raise UsageError(f"--speech {text!r}: expected {' or '.join(OPTIONS)} after +.")
        if budget.unit == FEW and options:
            raise UsageError(f"--speech {text!r}: the published 115 are fixed, so no option after + applies.")
        if not budget:
            return budget
        return dataclasses.replace(
            budget, stratified=STRATIFIED in options, all_recordings=ALL_RECORDINGS in options
        )

    @classmethod
    def _amount(cls, text: str, whole: str) -> Budget:
        match = re.fullmatch(r"([+-]?\d+(?:\.\d+)?)\s*(%|min)?", text)
        if match is None:
            raise UsageError(f"--speech {whole!r}: expected {FORMS}.")
        number, unit = Fraction(match.group(1)), match.group(2)
        if number < 0:
            raise UsageError(f"--speech {whole!r} is negative; expected {FORMS}.")
        if unit == "%":
            if number > 100:
                raise UsageError(f"--speech {whole!r}: a share is at most 100%.")
            return cls(number / 100) if number else NONE
        if not number:
            return NONE
        if unit == "min":
            return cls(number, "minutes")
        if number.denominator != 1:
            share = number * 100 if number < 1 else number
            near = f"{float(share):g}%" if share <= 100 else str(round(number))
            raise UsageError(
                f"--speech {whole!r}: the number of utterances must be an integer; did you mean {near}?"
            )
        return cls(number, "utterances")

    def __str__(self) -> str:
        """The speech budget as given, without the condition on target data."""
        options = (STRATIFIED,) * self.stratified + (ALL_RECORDINGS,) * self.all_recordings
        return "+".join((self._shown(), *options))

    def _shown(self) -> str:
        if self.unit == FEW:
            return FEW
        if self.unit == "share":
            return f"{float(self.amount * 100):g}%" if self.amount else "0"
        return f"{float(self.amount):g}" + ("min" if self.unit == "minutes" else "")

    def __bool__(self) -> bool:
        """Whether it includes speech in the source language."""
        return self.amount > 0

    @property
    def uses_speech(self) -> bool:
        """Whether it includes speech in any language."""
        return bool(self) or self.condition.few_speech

    @property
    def condition(self) -> Target:
        """The condition on target-language data."""
        return TARGETS[self.target]

    @property
    def drawn(self) -> bool:
        """Whether the data seed affects what is bought."""
        return bool(self) and self.unit != FEW

    @property
    def ranked(self) -> bool:
        """Whether runs at this budget are ranked (RULES.md)."""
        return not self.stratified

    def count(self, whole: int) -> int:
        """The number of utterances that a share or a number of utterances buys, of so many for sale."""
        if self.unit == "utterances":
            return int(self.amount)
        # Half rounds up, and what is above nothing buys at least one.
        return max(int(self.amount * whole + Fraction(1, 2)), 1) if self.amount else 0

    def buy(
        self, pool: Sequence[Utterance], data_seed: int, seconds: Callable[[Utterance], float]
    ) -> list[Utterance]:
        """The recordings bought: a prefix of the pool in the data seed's order.

        Every budget is a prefix of every larger one of its kind, on any machine.

        Args:
            pool: The task's speech pool; for the published 115 these themselves.
            data_seed: Draws the order.
            seconds: Gives a recording's length in seconds; asked in order and only for minutes.
        """
        if self.unit == FEW:
            return list(pool)
        ordered = stratified(pool, data_seed) if self.stratified else purchase_order(pool, data_seed)
        if self.unit == "share":
            whole = len({u.id for u in ordered}) if self.all_recordings else len(ordered)
            count = self.count(whole)
            return first_sentences(ordered, count) if self.all_recordings else ordered[:count]
        if self.unit == "utterances":
            return ordered[: int(self.amount)]
        bought: list[Utterance] = []
        left = float(self.amount) * 60
        for utterance in ordered:
            left -= seconds(utterance)
            if left < 0:
                break
            bought.append(utterance)
        return bought


NONE = Budget(Fraction(0))


def purchase_order(pool: Iterable[Utterance], data_seed: int) -> list[Utterance]:
    """The pool in the order of purchase: by SHA-256 of data seed and sentence id."""
    return uniform(pool, data_seed)
