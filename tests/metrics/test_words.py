"""Word error rate: jiwer's own number from sums over utterances."""

from __future__ import annotations

import jiwer
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slubench.metrics.words import measure_words, tally_words

TEXTS = st.lists(st.sampled_from(["wake", "me", "at", "five", "ü"]), max_size=5).map(" ".join)


def test_by_hand() -> None:
    counts = tally_words(["a", "wake me", "x y z"], ["b c d", "wake me", "x z"])
    assert counts.tolist() == [[3, 1], [0, 2], [1, 3]]
    assert float(measure_words(counts.sum(axis=0))["wer"]) == pytest.approx(4 / 6)
    assert float(measure_words(counts[0])["wer"]) == 3.0


def test_none_at_all() -> None:
    assert tally_words([], []).shape == (0, 2)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(TEXTS.filter(bool), TEXTS), min_size=1, max_size=6))
def test_sums_give_what_jiwer_gives(pairs: list[tuple[str, str]]) -> None:
    said, heard = ([pair[side] for pair in pairs] for side in (0, 1))
    counts = tally_words(said, heard)
    assert np.all(counts >= 0)
    assert float(measure_words(counts.sum(axis=0))["wer"]) == pytest.approx(
        jiwer.wer(reference=said, hypothesis=heard)
    )
