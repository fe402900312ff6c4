"""Generic sentences for pretraining: they say nothing a benchmark asks, in every word the grammar knows."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import cache

from tools.mini.grammar.language import Language, language, lexicon


@cache
def _words(code: str) -> tuple[str, ...]:
    return tuple(sorted(lexicon(code)))


@cache
def _fillers(code: str) -> tuple[str, ...]:
    return tuple(filler.spoken for fillers in language(code).fillers.values() for filler in fillers)


def _clause(spoken: Language, rng: random.Random) -> str:
    everyday = spoken.everyday
    clause = [rng.choice(everyday.subjects), rng.choice(everyday.verbs), rng.choice(everyday.objects)]
    if rng.random() < 0.5:
        clause.append(rng.choice(everyday.adverbs))
    return " ".join(clause)


def _about(spoken: Language, rng: random.Random) -> str:
    everyday = spoken.everyday
    filler = rng.choice(_fillers(spoken.code))
    return f"{rng.choice(everyday.subjects)} {rng.choice(everyday.verbs)} {filler}"


def _salad(spoken: Language, rng: random.Random) -> str:
    return " ".join(rng.choices(_words(spoken.code), k=rng.randint(2, 8)))


def _short(spoken: Language, rng: random.Random) -> str:
    return " ".join(rng.choices(_words(spoken.code), k=rng.randint(1, 3)))


def _list(spoken: Language, rng: random.Random) -> str:
    return " ".join(rng.choices(_fillers(spoken.code), k=rng.randint(2, 4)))


def _numbers(spoken: Language, rng: random.Random) -> str:
    numbers = rng.choices(spoken.fillers["number"], k=rng.randint(2, 6))
    return " ".join(number.spoken for number in numbers)


_FORMS: tuple[tuple[Callable[[Language, random.Random], str], float], ...] = (
    (_clause, 0.28),
    (_about, 0.16),
    (_salad, 0.24),
    (_short, 0.08),
    (_list, 0.18),
    (_numbers, 0.06),
)


def generic(code: str, rng: random.Random) -> str:
    """Draw a sentence, a list or a heap of words of a language, of one to about twelve words."""
    forms, weights = zip(*_FORMS, strict=True)
    while True:
        text: str = rng.choices(forms, weights)[0](language(code), rng)
        if len(text.split()) <= 12:
            return text
