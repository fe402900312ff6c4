"""A budget: how much speech may be heard, as a share of the pool, in minutes, or in utterances."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from slubench.errors import UsageError
from slubench.utterance import Utterance

FORMS = "a share (5%), minutes (20min), utterances (230) or 0"


@dataclass(frozen=True)
class Budget:
    """How much speech a strategy may hear.

    Attributes:
        amount: In `unit`s; a share is between 0 and 1.
        unit: `share`, `minutes` or `utterances`.
    """

    amount: Fraction
    unit: str = "share"

    @classmethod
    def parse(cls, text: str) -> Budget:
        """Read `5%`, `20min`, `230` or `0`.

        Raises:
            UsageError: It is none of these, negative, or a share above 100 %.
        """
        match = re.fullmatch(r"([+-]?\d+(?:\.\d+)?)\s*(%|min)?", text.strip().lower())
        if match is None:
            raise UsageError(f"--speech {text!r}: expected {FORMS}.")
        number, unit = Fraction(match.group(1)), match.group(2)
        if number < 0:
            raise UsageError(f"--speech {text!r} is negative; expected {FORMS}.")
        if unit == "%":
            if number > 100:
                raise UsageError(f"--speech {text!r}: there is no more than 100% of the speech.")
            return cls(number / 100) if number else NONE
        if not number:
            return NONE
        if unit == "min":
            return cls(number, "minutes")
        if number.denominator != 1:
            raise UsageError(f"--speech {text!r}: a number of utterances is whole; did you mean {text}%?")
        return cls(number, "utterances")

    def __str__(self) -> str:
        if self.unit == "share":
            return f"{float(self.amount * 100):g}%" if self.amount else "0"
        return f"{float(self.amount):g}" + ("min" if self.unit == "minutes" else "")

    def __bool__(self) -> bool:
        return self.amount > 0

    def buy(
        self, pool: Sequence[Utterance], data_seed: int, seconds: Callable[[Utterance], float]
    ) -> list[Utterance]:
        """The recordings bought: a prefix of the pool's one order for the data seed.

        Every budget is a prefix of every larger one, on any machine.

        Args:
            pool: The task's speech pool.
            data_seed: Draws the order.
            seconds: Gives a recording's length in seconds; asked in order and only for minutes.
        """
        ordered = purchase_order(pool, data_seed)
        if self.unit == "share":
            # Half rounds up, and what is above nothing buys at least one.
            count = int(self.amount * len(ordered) + Fraction(1, 2)) if self.amount else 0
            return ordered[: max(count, 1)] if self.amount else []
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
    """The pool in the order in which it is bought: by SHA-256 of data seed and sentence id."""

    def place(utterance: Utterance) -> tuple[bytes, str, str]:
        digest = hashlib.sha256(f"{data_seed}:{utterance.id}".encode()).digest()
        return digest, utterance.language, utterance.recording

    return sorted(pool, key=place)
