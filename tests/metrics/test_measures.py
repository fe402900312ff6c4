"""Measures of summed counts."""

from __future__ import annotations

import numpy as np
import pytest

from slubench.domain.meaning import Entity, Meaning
from slubench.metrics import MEASURES, Count, Counts, measure, tally


def counts(**given: float) -> Counts:
    vector = np.zeros(len(Count))
    for name, value in given.items():
        vector[Count[name.upper()]] = value
    return vector


def test_slu_f1_adds_counts_and_is_no_mean_of_two() -> None:
    # Word: P = R = 6/8. Char: P = R = 6/7. Together: TP 12, FP 3, FN 3.
    found = measure(counts(word_tp=6, word_fp=2, word_fn=2, char_tp=6, char_fp=1, char_fn=1))
    assert found["word_f1"] == pytest.approx(0.75)
    assert found["char_f1"] == pytest.approx(6 / 7)
    assert [found[name] for name in ("slu_f1", "slu_precision", "slu_recall")] == pytest.approx([12 / 15] * 3)
    assert found["slu_f1"] != pytest.approx((0.75 + 6 / 7) / 2)


def test_precision_and_recall_are_not_swapped() -> None:
    found = measure(counts(word_tp=1, word_fp=3, char_tp=1, char_fp=3))
    assert found["slu_precision"] == pytest.approx(0.25)
    assert found["slu_recall"] == 1


def test_nothing_over_nothing_is_zero() -> None:
    assert {name: float(value) for name, value in measure(np.zeros(len(Count))).items()} == dict.fromkeys(
        MEASURES, 0.0
    )


def test_rates_are_per_answer() -> None:
    found = measure(counts(items=8, intent_tp=2, scenario_tp=4, action_tp=6, exact=1, parse_failures=3))
    assert found["intent_accuracy"] == 0.25
    assert found["scenario_accuracy"] == 0.5
    assert found["action_accuracy"] == 0.75
    assert found["exact_match"] == 0.125
    assert found["parse_failures"] == 0.375


def test_a_leading_axis_is_kept() -> None:
    gold = Meaning("alarm", "set", (Entity("time", "five"),))
    rows = np.stack([tally(gold, gold), tally(gold, None), tally(gold, Meaning("alarm", "set"))])
    together = measure(rows)
    assert all(values.shape == (3,) for values in together.values())
    for at, row in enumerate(rows):
        assert {name: values[at] for name, values in together.items()} == measure(row)
    assert together["slu_f1"].tolist() == [1.0, 0.0, 0.0]
