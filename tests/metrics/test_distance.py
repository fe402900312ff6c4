"""Distances of fillers, by hand and against jiwer."""

from __future__ import annotations

import jiwer
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slubench.metrics.distance import char_distance, char_distances, word_distance, word_distances

FILLERS = st.text(alphabet=" ab\té", max_size=12)


@pytest.mark.parametrize(
    ("gold", "predicted", "word", "char"),
    [
        ("eight", "eight", 0.0, 0.0),
        ("eight o'clock", "eight", 1 / 2, 8 / 13),  # one word of two missing; 8 of 13 characters
        ("a", "b c d", 3.0, 1.0),  # one gold word, three edits: more than 1; 5 edits over 5 characters
        ("a b", "", 1.0, 1.0),
        ("", "a b", 2.0, 1.0),  # no gold word counts as one
        ("", "", 0.0, 1.0),  # as published
        ("a b", "a  b", 0.0, 1 / 4),  # two blanks part words as one does; one character more
        ("Noon", "noon", 1.0, 1 / 4),  # no lower-casing here
        ("a\tb", "a b", 2.0, 1 / 3),  # a lone tab does not part words
    ],
)
def test_by_hand(gold: str, predicted: str, word: float, char: float) -> None:
    assert word_distance(gold, predicted) == pytest.approx(word, abs=1e-15)
    assert char_distance(gold, predicted) == pytest.approx(char, abs=1e-15)


@settings(deadline=None)
@given(FILLERS, FILLERS)
def test_words_are_those_of_jiwer(gold: str, predicted: str) -> None:
    assert word_distance(gold, predicted) == pytest.approx(
        jiwer.wer(reference=gold, hypothesis=predicted), abs=1e-15
    )


@settings(deadline=None)
@given(FILLERS, FILLERS)
def test_char_distance_is_bounded_and_symmetric(gold: str, predicted: str) -> None:
    assert 0 <= char_distance(gold, predicted) <= 1
    assert char_distance(gold, predicted) == char_distance(predicted, gold)


@settings(deadline=None)
@given(st.lists(st.tuples(FILLERS, FILLERS), max_size=6))
def test_a_batch_is_each_pair(pairs: list[tuple[str, str]]) -> None:
    gold, predicted = [one for one, _ in pairs], [other for _, other in pairs]
    assert word_distances(gold, predicted).tolist() == [word_distance(*pair) for pair in pairs]
    assert char_distances(gold, predicted).tolist() == [char_distance(*pair) for pair in pairs]
