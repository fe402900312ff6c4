"""MASSIVE's token measures: spans as conlleval reads them, by hand and on real annotations."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from slubench.domain.meaning import Entity, from_annotation
from slubench.errors import DataError
from slubench.metrics.tokens import (
    Span,
    as_counts,
    entities_of,
    label_annotation,
    labelled,
    measure_tokens,
    spans,
    tally_tokens,
)


@pytest.mark.parametrize(
    ("labels", "found"),
    [
        ("", []),
        ("O O", []),
        ("Other Other", []),
        ("B-a I-a O", [("a", 0, 2)]),
        ("B-a B-a", [("a", 0, 1), ("a", 1, 2)]),
        # An I- that continues nothing begins a span, and so does one of another type.
        ("O I-a", [("a", 1, 2)]),
        ("B-a I-b I-b", [("a", 0, 1), ("b", 1, 3)]),
        # Plain types: equal neighbours are one.
        ("a a Other a b", [("a", 0, 2), ("a", 3, 4), ("b", 4, 5)]),
    ],
)
def test_spans(labels: str, found: list[tuple[str, int, int]]) -> None:
    assert spans(labels.split()) == [Span(*span) for span in found]


def test_one_answer() -> None:
    gold = "B-a I-a O B-b".split()
    assert tally_tokens(gold, gold, same_intent=True) == [1, 2, 0, 0, 1]
    assert tally_tokens(gold, gold, same_intent=False) == [1, 2, 0, 0, 0]
    # A span must begin and end where gold's does: "B-a O" is no half of "B-a I-a".
    assert tally_tokens(gold, "B-a O O B-b".split(), same_intent=True) == [1, 1, 1, 1, 0]
    assert tally_tokens(gold, None, same_intent=False) == [1, 0, 0, 2, 0]
    # Too short is filled with Other, too long is cut.
    assert tally_tokens(gold, "B-a I-a".split(), same_intent=True) == [1, 1, 0, 1, 0]
    assert tally_tokens(gold, [*gold, "B-c"], same_intent=True) == [1, 2, 0, 0, 1]


def test_micro_f1_is_of_sums() -> None:
    rows = [[1, 1, 1, 0, 0], [1, 0, 0, 2, 0], [1, 2, 0, 0, 1]]  # TP 3, FP 1, FN 2
    measured = measure_tokens(as_counts(rows).sum(axis=0))
    assert float(measured["token_slot_f1"]) == pytest.approx(2 * 3 / (2 * 3 + 1 + 2))
    assert float(measured["token_exact_match"]) == pytest.approx(1 / 3)


def test_an_annotation_is_labelled_by_word() -> None:
    found = label_annotation("wecke mich um [time : fünf uhr], bitte [date : morgen]")
    assert found.tokens == ("wecke", "mich", "um", "fünf", "uhr,", "bitte", "morgen")
    assert found.labels == ("Other", "Other", "Other", "time", "time", "Other", "date")
    assert entities_of(found.tokens, found.labels) == (Entity("time", "fünf uhr,"), Entity("date", "morgen"))


def test_as_many_labels_as_tokens() -> None:
    with pytest.raises(DataError, match="1 labels for 2 tokens"):
        labelled(["a", "b"], ["Other"])


def test_real_annotations_give_their_slots_back(real_text: Path) -> None:
    with gzip.open(real_text / "massive" / "de-DE.jsonl.gz", "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line, _ in zip(lines, range(3000), strict=False)]
    same = 0
    for row in rows:
        _, entities = from_annotation(row["annot_utt"])
        found = label_annotation(row["annot_utt"])
        assert len(found.tokens) == len(row["utt"].split())
        same += entities_of(found.tokens, found.labels) == entities
    # The rest have two slots of one type side by side, or a slot that ends within a word.
    assert same / len(rows) > 0.97
