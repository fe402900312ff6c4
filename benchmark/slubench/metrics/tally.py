"""Counts of what predictions got right and wrong, which can be summed.

Every measure of any set of answers is a function of the sum of their vectors of counts, so intervals, slices
and paired comparisons never look at an answer twice. The counts are those of SLURP's scorer (Bastianelli et
al. 2020, arXiv 2011.13205); `exact` and `parse_failures` are added.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from slubench.domain.meaning import Entity, Meaning
from slubench.metrics.entities import Compared, Marks, Numbers, block, mark_entities
from slubench.metrics.matching import Spans

Counts: TypeAlias = NDArray[np.float64]
"""Shape (len(Count),), or (..., len(Count)) for several."""


class Count(IntEnum):
    """The positions of counts in the vector. TP, FP and FN of one kind are adjacent."""

    ITEMS = 0
    PARSE_FAILURES = 1
    EXACT = 2
    SCENARIO_TP = 3
    SCENARIO_FP = 4
    SCENARIO_FN = 5
    ACTION_TP = 6
    ACTION_FP = 7
    ACTION_FN = 8
    INTENT_TP = 9
    INTENT_FP = 10
    INTENT_FN = 11
    SPAN_TP = 12
    SPAN_FP = 13
    SPAN_FN = 14
    WORD_TP = 15
    WORD_FP = 16
    WORD_FN = 17
    CHAR_TP = 18
    CHAR_FP = 19
    CHAR_FN = 20


COUNT_NAMES = tuple(count.name.lower() for count in Count)
KINDS = ("scenario", "action", "intent", "span", "word", "char")


Answered: TypeAlias = tuple[Meaning, Meaning | None, Spans | None]
"""Gold; the prediction, None if it is missing or invalid; and what span F1 compares instead of the
predicted entities, see `slubench.metrics.entities.Compared`."""


Labels: TypeAlias = tuple[str, str, str | None, str | None]
"""Scenario and action of gold, scenario and action of the prediction."""


@dataclass(frozen=True)
class Tally:
    """What predictions got right and wrong: marks in flat arrays, once for each distinct case.

    Labels and entities are compared apart, and what is compared once stands for all answers with the same
    case: the same gold and predicted labels, or the same gold and predicted entities.

    Attributes:
        labels: The names of labels, of whatever kind.
        case: Shape (marks,): the case each mark is of.
        kind: Shape (marks,): places in KINDS.
        label: Shape (marks,): places in `labels`.
        marks: Shape (marks, 3): TP, FP and FN.
        cases: Shape (answers, 2): the two cases of each answer.
        parsed: Shape (answers,): whether there is an answer.
    """

    labels: tuple[str | None, ...]
    case: NDArray[np.intp]
    kind: NDArray[np.intp]
    label: NDArray[np.intp]
    marks: NDArray[np.float64]
    cases: NDArray[np.intp]
    parsed: NDArray[np.bool_]

    def counts(self) -> Counts:
        """The vector of each prediction, shape (predictions, len(Count)).

        Exact match needs the intent and, in any order, just the gold entities.
        """
        places = self.case * len(KINDS) + self.kind
        of_cases = self._summed(places, self.case_count * len(KINDS), 1).reshape(-1, 3 * len(KINDS))
        counts = np.empty((len(self.cases), len(Count)))
        counts[:, Count.ITEMS] = 1.0
        counts[:, Count.PARSE_FAILURES] = ~self.parsed
        counts[:, Count.SCENARIO_TP :] = of_cases[self.cases].sum(axis=1)
        wrong = counts[:, [Count.INTENT_FP, Count.SPAN_FP, Count.SPAN_FN]].any(axis=1)
        counts[:, Count.EXACT] = ~wrong
        return counts

    def by_label(self, answers: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Summed marks of some predictions, shape (len(KINDS), labels, 3).

        Args:
            answers: Shape (answers,): which are counted.
        """
        times = np.bincount(self.cases[answers].ravel(), minlength=self.case_count)
        places = self.kind * len(self.labels) + self.label
        summed = self._summed(places, len(KINDS) * len(self.labels), times[self.case])
        return summed.reshape(len(KINDS), len(self.labels), 3)

    @property
    def case_count(self) -> int:
        """How many cases there are."""
        return int(self.cases.max(initial=-1)) + 1

    def _summed(self, places: NDArray[np.intp], size: int, times: NDArray[np.intp] | int) -> Counts:
        """Marks times `times` added up at their places, shape (size, 3)."""
        weighted = self.marks.T * times
        columns = [np.bincount(places, weights=column, minlength=size) for column in weighted]
        return np.stack(columns, axis=1)


def tally_answers(answers: Iterable[Answered]) -> Tally:
    """Compare predictions with gold.

    Where nothing is predicted, scenario, action and intent are one false positive and one false negative
    each, and every gold entity is a false negative.
    """
    said: Numbers[Labels] = Numbers()
    found: Numbers[Compared] = Numbers()
    numbers: Numbers[str | None] = Numbers()
    of_labels: list[int] = []
    of_entities: list[int] = []
    parsed: list[bool] = []
    for gold, predicted, spans in answers:
        if predicted is None:
            of_labels.append(said[gold.scenario, gold.action, None, None])
            of_entities.append(found[gold.entities, (), None])
        else:
            of_labels.append(said[gold.scenario, gold.action, predicted.scenario, predicted.action])
            of_entities.append(found[gold.entities, predicted.entities, spans])
        parsed.append(predicted is not None)
    entities = mark_entities(list(found), numbers)
    entities[:, 0] += len(said)
    table = np.concatenate((_mark_labels(said, numbers), entities))
    case, kind, label = table[:, :3].astype(np.intp).T
    return Tally(
        labels=tuple(numbers),
        case=case,
        kind=kind,
        label=label,
        marks=table[:, 3:],
        cases=np.stack((of_labels, np.add(of_entities, len(said))), axis=1).astype(np.intp),
        parsed=np.array(parsed, dtype=np.bool_),
    )


def tally_all(gold: Sequence[Meaning], predicted: Sequence[Meaning | None]) -> Counts:
    """Count what predictions got right and wrong, as SLURP's scorer does.

    The ranked variant is that of normalised meanings on both sides.

    Args:
        gold: What was meant.
        predicted: What was answered, or None where the reply did not parse.

    Returns:
        A vector an answer in the order of `Count`, shape (n, len(Count)).
    """
    pairs = zip(gold, predicted, strict=True)
    return tally_answers((meant, said, None) for meant, said in pairs).counts()


def tally(gold: Meaning, predicted: Meaning | None) -> Counts:
    """`tally_all` of one prediction, shape (len(Count),)."""
    counts: Counts = tally_all([gold], [predicted])[0]
    return counts


def normalise(meaning: Meaning) -> Meaning:
    """The meaning as ranked measures compare it: fillers in NFC, lower case, white space folded.

    Scenario, action and slot types stay as they are: they are names out of a closed list.
    """
    return Meaning(
        meaning.scenario,
        meaning.action,
        tuple(Entity(entity.type, normalise_text(entity.filler)) for entity in meaning.entities),
    )


def normalise_text(text: str) -> str:
    """Text in NFC, lower case, white space folded."""
    # Lowering can take a composed letter apart again, so that NFC comes on both sides of it.
    lowered = unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).lower())
    return " ".join(lowered.split())


def _mark_labels(cases: Iterable[Labels], numbers: Numbers[str | None]) -> Marks:
    """The marks of scenario, action and intent."""
    golds, answers = [], []
    for scenario, action, said_scenario, said_action in cases:
        said = None if said_scenario is None else f"{said_scenario}_{said_action}"
        golds.append((numbers[scenario], numbers[action], numbers[f"{scenario}_{action}"]))
        answers.append((numbers[said_scenario], numbers[said_action], numbers[said]))
    gold, answer = (np.array(rows, dtype=np.intp).reshape(-1, 3) for rows in (golds, answers))
    right, wrong = np.nonzero(gold == answer), np.nonzero(gold != answer)
    return np.concatenate(
        (
            block(*right, gold[right], 1, 0, 0),
            block(*wrong, answer[wrong], 0, 1, 0),
            block(*wrong, gold[wrong], 0, 0, 1),
        )
    )
