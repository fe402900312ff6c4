"""MASSIVE's slot measures, for predictions that label the gold tokens.

Micro F1 of labelled spans as seqeval counts them by default (conlleval's reading of BIO), and exact match of
intent and all labels: FitzGerald et al. 2022, arXiv 2204.08582, section 5. Only a tagger of the gold
transcript has such labels; a generated list of slots has no place in the sentence.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from itertools import groupby
from typing import NamedTuple

import numpy as np

from slubench.domain.meaning import SLOT, Entity
from slubench.domain.metric import Counting, Metric
from slubench.errors import DataError
from slubench.metrics.measures import Values, precision_recall_f1, ratio
from slubench.metrics.tally import Counts

OUTSIDE = ("O", "Other")


class TokenCount(IntEnum):
    """The positions of the sums in a prediction's vector."""

    ITEMS = 0
    TP = 1
    FP = 2
    FN = 3
    EXACT = 4


class Span(NamedTuple):
    """A labelled span of tokens, `end` exclusive."""

    type: str
    start: int
    end: int


class Tagged(NamedTuple):
    """An intent and a label for each gold token."""

    intent: str
    labels: tuple[str, ...]


class Labelled(NamedTuple):
    """A sentence's tokens and the label of each: a slot type, or `Other`."""

    tokens: tuple[str, ...]
    labels: tuple[str, ...]


def entities_of(tokens: Sequence[str], labels: Sequence[str]) -> tuple[Entity, ...]:
    """The labelled spans as slots; a label beyond the tokens is of no word."""
    found = spans(labels[: len(tokens)])
    return tuple(Entity(span.type, " ".join(tokens[span.start : span.end])) for span in found)


def spans(labels: Sequence[str]) -> list[Span]:
    """The spans of one sentence's labels.

    Labels are BIO tags (`B-time`, `I-time`, `O`), or, as in MASSIVE's and Speech-MASSIVE's rows, plain types
    of which equal neighbours are one span. As in conlleval, an `I-` after another type begins a span.
    """
    if all(label in OUTSIDE or label[:2] in ("B-", "I-") for label in labels):
        return _of_bio(labels)
    found, start = [], 0
    for label, group in groupby(labels):
        end = start + len(list(group))
        if label not in OUTSIDE:
            found.append(Span(label, start, end))
        start = end
    return found


def tally_tokens(gold: Sequence[str], predicted: Sequence[str] | None, same_intent: bool) -> list[float]:
    """The counts of one prediction, in the order of `TokenCount`.

    Args:
        gold: A label for each gold token.
        predicted: The labels predicted for them. As in MASSIVE's script what is too long is cut and what is
            too short is filled with `Other`. None where there is no answer.
        same_intent: Whether the predicted intent is the gold one.
    """
    labels = [] if predicted is None else list(predicted[: len(gold)])
    labels += ["Other"] * (len(gold) - len(labels))
    wanted, got = set(spans(gold)), set(spans(labels))
    both = len(wanted & got)
    exact = predicted is not None and same_intent and wanted == got
    return [1.0, both, len(got) - both, len(wanted) - both, float(exact)]


def tally_tagged(gold: Sequence[Tagged], predicted: Sequence[Tagged | None]) -> Counts:
    """`tally_tokens` of many items, shape (n, len(TokenCount))."""
    return as_counts(
        [
            tally_tokens(
                wanted.labels,
                None if said is None else said.labels,
                said is not None and said.intent == wanted.intent,
            )
            for wanted, said in zip(gold, predicted, strict=True)
        ]
    )


def as_counts(rows: Sequence[Sequence[float]]) -> Counts:
    """Rows of `tally_tokens` as one array, shape (n, len(TokenCount))."""
    return np.array(rows, dtype=np.float64).reshape(-1, len(TokenCount))


def label_annotation(annotated: str) -> Labelled:
    """Tokens and labels of an `annot_utt`, split at white space; a word partly in a slot is of that slot."""
    text, labels, last = "", list[str](), 0
    for match in SLOT.finditer(annotated):
        for part, label in ((annotated[last : match.start()], "Other"), (match.group(2), match.group(1))):
            text += part
            labels += [label.strip()] * len(part)
        last = match.end()
    text += annotated[last:]
    labels += ["Other"] * (len(text) - len(labels))
    tokens, found, start = text.split(), [], 0
    for token in tokens:
        start = text.index(token, start)
        inside = [label for label in labels[start : start + len(token)] if label != "Other"]
        found.append(inside[0] if inside else "Other")
        start += len(token)
    return Labelled(tuple(tokens), tuple(found))


def labelled(tokens: Sequence[str], labels: Sequence[str]) -> Labelled:
    """Tokens with their labels.

    Raises:
        DataError: There are not as many labels as tokens.
    """
    if len(tokens) != len(labels):
        raise DataError(f"{len(labels)} labels for {len(tokens)} tokens")
    return Labelled(tuple(tokens), tuple(labels))


def _of_bio(labels: Sequence[str]) -> list[Span]:
    found: list[Span] = []
    before = ""
    for at, label in enumerate(labels):
        kind = "" if label in OUTSIDE else label[2:]
        if kind and kind == before and label[0] == "I":
            found[-1] = found[-1]._replace(end=at + 1)
        elif kind:
            found.append(Span(kind, at, at + 1))
        before = kind
    return found


TOKENS = Counting("tokens", tuple(count.name.lower() for count in TokenCount), tally_tagged, of="labels")
TOKEN_METRICS = (
    Metric(
        name="token_slot_f1",
        title="Token slot F1",
        counting=TOKENS,
        measure=lambda sums: precision_recall_f1(
            sums[..., TokenCount.TP], sums[..., TokenCount.FP], sums[..., TokenCount.FN]
        )[2],
        about="micro F1 of labelled spans of gold tokens",
        order=50,
    ),
    Metric(
        name="token_exact_match",
        title="Token exact match",
        counting=TOKENS,
        measure=lambda sums: ratio(sums[..., TokenCount.EXACT], sums[..., TokenCount.ITEMS]),
        about="intent and the label of every token right",
        order=51,
    ),
)


def measure_tokens(counts: Counts) -> dict[str, Values]:
    """Micro F1 of spans and exact match, each in [0, 1].

    Args:
        counts: Shape (..., len(TokenCount)), summed over answers.
    """
    return {metric.name: metric.measure(counts) for metric in TOKEN_METRICS}
