"""Compares the entities of many predictions at once: span, word and char marks, in flat arrays.

Where no slot type occurs twice on either side, it is plain which gold entity answers which predicted one: all
such answers are compared together, their fillers' distances in one batch. In the others there is something to
choose, and they go through `slubench.metrics.matching` one by one.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from typing import NamedTuple, TypeAlias, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from slubench.domain.meaning import Entity
from slubench.metrics.distance import char_distance, char_distances, word_distance, word_distances
from slubench.metrics.matching import Spans, match_nearest, match_spans

Name = TypeVar("Name", bound=Hashable)
Places: TypeAlias = NDArray[np.intp]
Marks: TypeAlias = NDArray[np.float64]
"""Shape (marks, 6): the numbers of case, kind and label; true positives, false positives, false negatives."""
SPAN, WORD, CHAR = 3, 4, 5
"""Numbers of kinds: places in `slubench.metrics.tally.KINDS`."""
FEW = 12
"""Up to this number, comparing cases one by one is faster than in a batch."""


class Numbers(defaultdict[Name, int]):
    """Numbers names, in the order in which they are met."""

    def __init__(self) -> None:
        super().__init__(itertools.count().__next__)


Compared: TypeAlias = tuple[tuple[Entity, ...], tuple[Entity, ...], Spans | None]
"""A case: gold entities, whose fillers are lower-cased here; predicted ones, as they are; and what span F1
compares instead of these, where a foreign file holds entities that are not just a type and a filler."""


def mark_entities(cases: Sequence[Compared], labels: Numbers[str | None]) -> Marks:
    """The marks of cases, which are numbered as they stand; `labels` numbers slot types."""
    if len(cases) <= FEW:
        return _rows([mark for number, case in enumerate(cases) for mark in _choose(number, case, labels)])
    fillers: Numbers[str] = Numbers()
    gold = _Flat.of([entities for entities, _, _ in cases], labels, fillers, lower=True)
    predicted = _Flat.of([entities for _, entities, _ in cases], labels, fillers, lower=False)
    choosing = np.array([spans is not None for _, _, spans in cases], dtype=np.bool_)
    choosing[gold.repeating()] = choosing[predicted.repeating()] = True
    chosen: list[tuple[float, ...]] = []
    for number in np.flatnonzero(choosing).tolist():
        chosen += _choose(number, cases[number], labels)
    plain = _plain(gold.only(~choosing), predicted.only(~choosing), list(fillers))
    return np.concatenate((plain, _rows(chosen)))


class _Flat(NamedTuple):
    """Entities of all cases, one after the other: the numbers of their cases, types and fillers."""

    case: Places
    type: Places
    filler: Places

    @classmethod
    def of(
        cls,
        cases: Sequence[Sequence[Entity]],
        types: Numbers[str | None],
        fillers: Numbers[str],
        *,
        lower: bool,
    ) -> _Flat:
        texts: Iterable[str] = (entity.filler for entity in itertools.chain.from_iterable(cases))
        texts = map(str.lower, texts) if lower else texts
        slots = (entity.type for entity in itertools.chain.from_iterable(cases))
        return cls(
            np.repeat(np.arange(len(cases)), [len(entities) for entities in cases]),
            np.fromiter(map(types.__getitem__, slots), dtype=np.intp),
            np.fromiter(map(fillers.__getitem__, texts), dtype=np.intp),
        )

    @property
    def place(self) -> Places:
        """One number for case and type."""
        return _joined(self.case, self.type)

    def repeating(self) -> Places:
        """The cases in which a type occurs more than once."""
        place, times = np.unique(self.place, return_counts=True)
        return _parted(place[times > 1])[0]

    def only(self, wanted: NDArray[np.bool_]) -> _Flat:
        """The entities of some cases."""
        return _Flat(*(column[wanted[self.case]] for column in self))

    def without(self, at: Places) -> _Flat:
        """The entities but those at some places."""
        return _Flat(*(np.delete(column, at) for column in self))


def _joined(first: Places, second: Places) -> Places:
    """One number for two that are below 2^31."""
    return first << 32 | second


def _parted(joined: Places) -> tuple[Places, Places]:
    return joined >> 32, joined & (1 << 32) - 1


def _plain(gold: _Flat, predicted: _Flat, fillers: Sequence[str]) -> Marks:
    """The marks of cases in which no type occurs twice on one side."""
    _, found, said = np.intersect1d(gold.place, predicted.place, assume_unique=True, return_indices=True)
    wanted, got = gold.filler[found], predicted.filler[said]
    pairs, which = np.unique(_joined(wanted, got), return_inverse=True)
    texts = [[fillers[at] for at in column.tolist()] for column in _parted(pairs)]
    word, char = word_distances(*texts)[which], char_distances(*texts)[which]
    right = wanted == got
    case, label = gold.case[found], gold.type[found]
    blocks = [
        block(case, SPAN, label, right, ~right, ~right),
        block(case, WORD, label, 1, word, word),
        block(case, CHAR, label, 1, char, char),
    ]
    missed, made_up = gold.without(found), predicted.without(said)
    for kind in (SPAN, WORD, CHAR):
        blocks.append(block(missed.case, kind, missed.type, 0, 0, 1))
        blocks.append(block(made_up.case, kind, made_up.type, 0, 1, 0))
    return np.concatenate(blocks)


def block(*columns: ArrayLike) -> Marks:
    """Marks of a kind from their six columns, each an array or one number."""
    return np.stack(np.broadcast_arrays(*columns), axis=1).astype(np.float64)


def _rows(marks: Sequence[tuple[float, ...]]) -> Marks:
    return np.array(marks, dtype=np.float64).reshape(-1, 6)


def _choose(number: int, case: Compared, labels: Numbers[str | None]) -> list[tuple[float, ...]]:
    """The marks of one case."""
    gold, predicted, spans = case
    truth = [(slot, filler.lower()) for slot, filler in gold]
    kinds = {
        SPAN: match_spans(truth, predicted if spans is None else spans),
        WORD: match_nearest(truth, predicted, word_distance),
        CHAR: match_nearest(truth, predicted, char_distance),
    }
    return [
        (number, kind, labels[label], tp, fp, fn)
        for kind, marks in kinds.items()
        for label, tp, fp, fn in marks
    ]
