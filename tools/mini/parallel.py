"""The written side of the shipped corpus: meanings, the same in every language, shared out to partitions."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from tools.mini.grammar import LANGUAGES, DrawnMeaning, Sentence, draw_meaning, part, say
from tools.mini.grammar.ontology import SLOT_OF_KIND

# Rows of each partition; English, the place of SLURP, is read by fewer and has no train_115.
SIZES: dict[str, dict[str, int]] = {
    "de": {"train": 2000, "train_115": 115, "validation": 200, "test": 500},
    "fr": {"train": 2000, "train_115": 115, "validation": 200, "test": 500},
    "en": {"train": 1000, "validation": 150, "test": 500},
}
PARTITIONS = ("train", "train_115", "validation", "test")
HELD_OUT_SHARE = 0.45
PLAIN_SHARE = 0.12  # drawn from sentences without an entity, of which there are few
_POOL_FOR_FEW = 1200


@dataclass(frozen=True)
class Parallel:
    """One meaning in every language, under one id.

    Attributes:
        number: the id, shared by the languages; an id lies in the same partition in each of them.
        meaning: what is said.
        partition: `train`, `train_115`, `validation` or `test`.
    """

    number: int
    meaning: DrawnMeaning
    partition: str

    @cached_property
    def sentences(self) -> dict[str, Sentence]:
        """The sentence in each language."""
        return {code: say(self.meaning, code) for code in LANGUAGES}


class _Draw:
    """Draws meanings that are the benchmark's and new in every language."""

    def __init__(self, seed: str) -> None:
        self.rng = random.Random(seed)
        self._seen: set[tuple[str, str]] = set()

    def new(self, *, held_out: bool) -> DrawnMeaning:
        plain = self.rng.random() < PLAIN_SHARE
        while True:
            meaning = draw_meaning(self.rng, held_out=held_out)
            if plain and any(SLOT_OF_KIND[kind] for kind, _ in meaning.choices):
                continue
            if all(self._fits(code, say(meaning, code).text) for code in LANGUAGES):
                self._seen |= _texts(meaning)
                return meaning

    def _fits(self, code: str, text: str) -> bool:
        return (code, text) not in self._seen and part(text) == "benchmark"

    def release(self, meanings: Iterable[DrawnMeaning]) -> None:
        for meaning in meanings:
            self._seen -= _texts(meaning)


def _texts(meaning: DrawnMeaning) -> set[tuple[str, str]]:
    return {(code, say(meaning, code).text) for code in LANGUAGES}


def _few(pool: list[DrawnMeaning], size: int) -> list[DrawnMeaning]:
    """Choose so that intents occur equally often, and every slot type as often as can be."""
    intents: Counter[str] = Counter()
    slots: Counter[str] = Counter()
    chosen: list[DrawnMeaning] = []
    waiting = dict.fromkeys(pool)
    for _ in range(size):
        best = min(
            waiting,
            key=lambda meaning: (
                intents[meaning.intent],
                min((slots[slot] for slot, _ in say(meaning, "de").entities), default=size),
            ),
        )
        del waiting[best]
        chosen.append(best)
        intents[best.intent] += 1
        slots.update(slot for slot, _ in say(best, "de").entities)
    return chosen


def parallels(seed: str = "slubench mini corpus 1") -> list[Parallel]:
    """Return the corpus's meanings by partition, held-out templates and fillers in the test alone.

    The ids are shuffled over the partitions. The first rows of a partition are those of every language,
    where the languages differ in size.
    """
    draw = _Draw(seed)
    largest = {name: max(sizes.get(name, 0) for sizes in SIZES.values()) for name in PARTITIONS}
    held_out = round(HELD_OUT_SHARE * largest["test"])
    pool = [draw.new(held_out=False) for _ in range(_POOL_FOR_FEW)]
    few = _few(pool, largest["train_115"])
    draw.release(meaning for meaning in pool if meaning not in few)
    by_partition = {
        "train_115": few,
        "test": [draw.new(held_out=number < held_out) for number in range(largest["test"])],
        "validation": [draw.new(held_out=False) for _ in range(largest["validation"])],
        "train": [draw.new(held_out=False) for _ in range(largest["train"])],
    }
    draw.rng.shuffle(by_partition["test"])
    numbers = list(range(sum(largest.values())))
    draw.rng.shuffle(numbers)
    waiting = iter(numbers)
    return [
        Parallel(next(waiting), meaning, name)
        for name, meanings in by_partition.items()
        for meaning in meanings
    ]
