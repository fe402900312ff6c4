"""Counts of single answers: every quirk of the published definition, worked out by hand, then properties."""

from __future__ import annotations

import random
import unicodedata

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slubench.domain.meaning import Entity, Meaning
from slubench.metrics import COUNT_NAMES, MEASURES, Count, measure, normalise, tally, tally_all
from slubench.metrics.tally import KINDS, tally_answers
from tests.metrics.oracle import scores

HALF_WORD = 1 / 2


def meaning(*entities: tuple[str, str], intent: str = "alarm set") -> Meaning:
    scenario, action = intent.split()
    return Meaning(scenario, action, tuple(Entity(*entity) for entity in entities))


# gold, predicted, span, word, char: (TP, FP, FN) each, derived in the comments.
CASES = {
    "right": (meaning(("time", "noon")), meaning(("time", "noon")), (1, 0, 0), (1, 0, 0), (1, 0, 0)),
    # One substitution of one gold word: d = 1. Characters: noon -> moon is 1 of 4.
    "near": (meaning(("time", "noon")), meaning(("time", "moon")), (0, 1, 1), (1, 1, 1), (1, 0.25, 0.25)),
    # Another type matches nothing: one FP for it, one FN for the gold.
    "type": (meaning(("time", "noon")), meaning(("date", "noon")), (0, 1, 1), (0, 1, 1), (0, 1, 1)),
    # Three edits to one gold word: d = 3 on both sides. Characters: "a" -> "b c d", 5 edits of 5.
    "beyond one": (meaning(("time", "a")), meaning(("time", "b c d")), (0, 1, 1), (1, 3, 3), (1, 1, 1)),
    "left out": (meaning(("time", "noon")), meaning(), (0, 0, 1), (0, 0, 1), (0, 0, 1)),
    "made up": (meaning(), meaning(("time", "noon")), (0, 1, 0), (0, 1, 0), (0, 1, 0)),
    "nothing": (meaning(), meaning(), (0, 0, 0), (0, 0, 0), (0, 0, 0)),
    # Gold is lower-cased, so a lower-case answer is right ...
    "gold case": (meaning(("time", "Noon")), meaning(("time", "noon")), (1, 0, 0), (1, 0, 0), (1, 0, 0)),
    # ... and an upper-case one is wrong even if it is the gold as written.
    "own case": (meaning(("time", "Noon")), meaning(("time", "Noon")), (0, 1, 1), (1, 1, 1), (1, 0.25, 0.25)),
    # The same entity twice, in gold once: the second is left without a partner.
    "twice": (
        meaning(("time", "noon")),
        meaning(("time", "noon"), ("time", "noon")),
        (1, 1, 0),
        (1, 1, 0),
        (1, 1, 0),
    ),
    # In order: the first predicted entity takes what is nearest to it, "five" (word: 0), not the first gold.
    "nearest": (
        meaning(("time", "nine"), ("time", "five")),
        meaning(("time", "five"), ("time", "nine")),
        (2, 0, 0),
        (2, 0, 0),
        (2, 0, 0),
    ),
    # Greedy, not optimal. Predicted "b": to "a b" and "b c" alike 1/2 in words: the first, "a b", is taken.
    # Then "a b" finds only "b c": a->b, b->c, 2 of 2 words. Word FP = FN = 1/2 + 1.
    # Characters: "b" to either is 2 of 3: the first again; then "a b" to "b c" is 2 substitutions of 3.
    "greedy, first wins ties": (
        meaning(("time", "a b"), ("time", "b c")),
        meaning(("time", "b"), ("time", "a b")),
        (1, 1, 1),
        (2, 1.5, 1.5),
        (2, 4 / 3, 4 / 3),
    ),
    # Words and characters are matched apart. Predicted "xb" is in words 1 from both: takes "ab cd" with
    # d = 2 edits of 2 words = 1, "xa" with d = 1: a tie, the first. Left: "xa" for nobody.
    # In characters "xb" is 4 of 5 from "ab cd" and 1 of 2 from "xa": takes "xa".
    "matched apart": (
        meaning(("time", "ab cd"), ("time", "xa")),
        meaning(("time", "xb")),
        (0, 1, 2),
        (1, 1, 2),
        (1, 0.5, 1.5),
    ),
    # Two empty strings are equal for spans, 0 apart in words, 1 apart in characters.
    "empty": (meaning(("time", "")), meaning(("time", "")), (1, 0, 0), (1, 0, 0), (1, 1, 1)),
    # Nothing against "a b": two insertions over one; characters 3 of 3.
    "empty gold": (meaning(("time", "")), meaning(("time", "a b")), (0, 1, 1), (1, 2, 2), (1, 1, 1)),
    "empty answer": (meaning(("time", "a b")), meaning(("time", "")), (0, 1, 1), (1, 1, 1), (1, 1, 1)),
    # Two blanks: other string, same words; 1 character of 4.
    "blanks": (meaning(("time", "a b")), meaning(("time", "a  b")), (0, 1, 1), (1, 0, 0), (1, 0.25, 0.25)),
    "unparsed": (meaning(("time", "noon"), ("date", "today")), None, (0, 0, 2), (0, 0, 2), (0, 0, 2)),
}


@pytest.mark.parametrize("name", CASES)
def test_entities_by_hand(name: str) -> None:
    gold, predicted, span, word, char = CASES[name]
    counts = tally(gold, predicted)
    assert counts[Count.SPAN_TP : Count.SPAN_FN + 1] == pytest.approx(span, abs=1e-12)
    assert counts[Count.WORD_TP : Count.WORD_FN + 1] == pytest.approx(word, abs=1e-12)
    assert counts[Count.CHAR_TP : Count.CHAR_FN + 1] == pytest.approx(char, abs=1e-12)
    exact = predicted is not None and span[1] == span[2] == 0
    assert counts[Count.EXACT] == exact
    assert counts[Count.ITEMS] == 1
    assert counts[Count.PARSE_FAILURES] == (predicted is None)


@pytest.mark.parametrize(
    ("predicted", "scenario", "action", "intent"),
    [
        (meaning(intent="alarm set"), (1, 0, 0), (1, 0, 0), (1, 0, 0)),
        (meaning(intent="alarm query"), (1, 0, 0), (0, 1, 1), (0, 1, 1)),
        (meaning(intent="news set"), (0, 1, 1), (1, 0, 0), (0, 1, 1)),
        (meaning(intent="Alarm set"), (0, 1, 1), (1, 0, 0), (0, 1, 1)),  # a label is not normalised
        (None, (0, 1, 1), (0, 1, 1), (0, 1, 1)),
    ],
)
def test_labels_by_hand(
    predicted: Meaning | None,
    scenario: tuple[int, int, int],
    action: tuple[int, int, int],
    intent: tuple[int, int, int],
) -> None:
    counts = tally(meaning(), predicted)
    assert tuple(counts[Count.SCENARIO_TP : Count.SCENARIO_FN + 1]) == scenario
    assert tuple(counts[Count.ACTION_TP : Count.ACTION_FN + 1]) == action
    assert tuple(counts[Count.INTENT_TP : Count.INTENT_FN + 1]) == intent
    assert counts[Count.EXACT] == intent[0]


def marks(gold: Meaning, predicted: Meaning | None) -> list[tuple[str, str | None, float, float, float]]:
    """Kind, label, TP, FP and FN of every mark of an answer."""
    tallied = tally_answers([(gold, predicted, None)])
    labels = [tallied.labels[at] for at in tallied.label]
    kinds = [KINDS[at] for at in tallied.kind]
    return [(*names, *mark) for *names, mark in zip(kinds, labels, tallied.marks.tolist(), strict=True)]


def test_wrong_counts_go_to_both_labels() -> None:
    found = marks(meaning(("time", "noon")), meaning(("date", "noon"), intent="news set"))
    assert ("scenario", "news", 0.0, 1.0, 0.0) in found
    assert ("scenario", "alarm", 0.0, 0.0, 1.0) in found
    assert ("intent", "news_set", 0.0, 1.0, 0.0) in found
    assert ("span", "date", 0.0, 1.0, 0.0) in found
    assert ("word", "time", 0.0, 0.0, 1.0) in found


def test_an_unparsed_reply_is_an_error_of_no_label() -> None:
    assert ("intent", None, 0.0, 1.0, 0.0) in marks(meaning(), None)


def test_exact_match_is_blind_to_order() -> None:
    gold = meaning(("time", "noon"), ("date", "today"))
    swapped = meaning(("date", "today"), ("time", "noon"))
    assert tally(gold, swapped)[Count.EXACT] == 1


def test_names_follow_the_vector() -> None:
    assert COUNT_NAMES[Count.WORD_FN] == "word_fn"
    assert len(COUNT_NAMES) == len(tally(meaning(), None))


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("  Tám\u00a0 giờ\n", "tám giờ"),
        (unicodedata.normalize("NFD", "Tám GIỜ"), "tám giờ"),
        ("", ""),
        ("İZMİR", "i\u0307zmi\u0307r"),
    ],
)
def test_normalise(written: str, normal: str) -> None:
    assert normalise(meaning(("time", written))).entities[0].filler == normal


def test_normalise_leaves_names_alone() -> None:
    odd = Meaning("Alarm", "SET", (Entity("Time", "X"),))
    assert normalise(odd) == Meaning("Alarm", "SET", (Entity("Time", "x"),))


WORDS = st.lists(st.sampled_from(["a", "b", "ab", "Ab", "é", "e\u0301", ""]), max_size=3).map(" ".join)
ENTITIES = st.lists(st.tuples(st.sampled_from(["time", "date"]), WORDS), max_size=4)
MEANINGS = st.builds(
    lambda entities, intent: meaning(*entities, intent=intent),
    ENTITIES,
    st.sampled_from(["alarm set", "alarm query", "news query"]),
)
ANSWERS = st.one_of(st.none(), MEANINGS)


@settings(deadline=None)
@given(st.text())
def test_normalise_is_idempotent(filler: str) -> None:
    once = normalise(meaning(("time", filler)))
    assert normalise(once) == once
    assert once.entities[0].filler.lower() == once.entities[0].filler


@settings(deadline=None)
@given(MEANINGS)
def test_a_perfect_answer_has_no_errors(gold: Meaning) -> None:
    gold = normalise(gold)
    counts = tally(gold, gold)
    empty = sum(entity.filler == "" for entity in gold.entities)
    assert counts[Count.EXACT] == 1
    assert (
        counts[Count.WORD_FP] == counts[Count.WORD_FN] == counts[Count.SPAN_FP] == counts[Count.SPAN_FN] == 0
    )
    if not empty:
        assert counts[Count.CHAR_FP] == counts[Count.CHAR_FN] == 0
        assert measure(counts)["slu_f1"] == (1.0 if gold.entities else 0.0)


@settings(deadline=None)
@given(MEANINGS, ANSWERS)
def test_one_answer_balances(gold: Meaning, predicted: Meaning | None) -> None:
    counts = tally(gold, predicted)
    said = len(predicted.entities) if predicted else 0
    assert counts.min() >= 0
    assert counts[Count.SPAN_TP] + counts[Count.SPAN_FN] == len(gold.entities)
    assert counts[Count.SPAN_TP] + counts[Count.SPAN_FP] == said
    assert counts[Count.WORD_TP] == counts[Count.CHAR_TP] <= min(said, len(gold.entities))
    assert counts[Count.WORD_FP] - counts[Count.WORD_FN] == pytest.approx(said - len(gold.entities))
    assert counts[Count.INTENT_TP] + counts[Count.INTENT_FN] == 1
    found = marks(gold, predicted)
    for place, kind in enumerate(KINDS):
        columns = [mark[2:] for mark in found if mark[0] == kind]
        first = Count.SCENARIO_TP + 3 * place
        assert counts[first : first + 3] == pytest.approx(np.sum(columns, axis=0) if columns else 0.0)


@settings(deadline=None)
@given(st.lists(st.tuples(MEANINGS, ANSWERS), max_size=8))
def test_all_is_each(pairs: list[tuple[Meaning, Meaning | None]]) -> None:
    together = tally_all([gold for gold, _ in pairs], [answer for _, answer in pairs])
    assert together.shape == (len(pairs), len(Count))
    for row, (gold, answer) in zip(together, pairs, strict=True):
        assert np.array_equal(row, tally(gold, answer))


def random_pairs(seed: int, n: int) -> list[tuple[Meaning, Meaning | None]]:
    rng = random.Random(seed)
    words = ["five", "Five", "nine", "p m", "", "tomorrow", "the day after", "ü", "5", "a a", "a"]

    def one() -> Meaning:
        entities = [
            (rng.choice("tdp"), " ".join(rng.choices(words, k=rng.randint(0, 2))))
            for _ in range(rng.randint(0, 4))
        ]
        return meaning(*entities, intent=rng.choice(["alarm set", "alarm query", "news query"]))

    pairs: list[tuple[Meaning, Meaning | None]] = []
    for _ in range(n):
        gold = one()
        kind = rng.random()
        pairs.append((gold, None if kind < 0.05 else gold if kind < 0.3 else one()))
    return pairs


@pytest.mark.parametrize("seed", range(20))
def test_equal_to_a_second_scorer(seed: int) -> None:
    pairs = random_pairs(seed, 200)
    counts = tally_all([gold for gold, _ in pairs], [answer for _, answer in pairs])
    for size in (1, 5, 200):
        found = measure(counts[:size].sum(axis=0))
        assert set(found) == set(MEASURES)
        for name, value in scores(pairs[:size]).items():
            assert abs(float(found[name]) - value) <= 1e-12, (name, size)


def test_a_batch_is_as_the_definition_one_by_one() -> None:
    pairs = random_pairs(99, 300)
    together = tally_all([gold for gold, _ in pairs], [answer for _, answer in pairs])
    alone = np.stack([tally(gold, answer) for gold, answer in pairs])
    assert np.abs(together - alone).max() <= 1e-12
