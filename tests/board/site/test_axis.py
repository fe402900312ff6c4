"""The axis of a drawn column."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slubench.board.panel import Estimate
from slubench.board.site.axis import axis_of
from slubench.board.site.plot_marks import apart


def test_ticks_are_round_and_hold_all_intervals() -> None:
    axis = axis_of([Estimate(0.62, 0.58, 0.66), Estimate(0.71, 0.67, 0.74)])
    assert axis.ticks == (0.55, 0.6, 0.65, 0.7, 0.75)
    assert axis.place(0.65) == pytest.approx(0.5)


def test_one_value_far_away_does_not_flatten_the_others() -> None:
    axis = axis_of([Estimate(value) for value in (0.7, 0.71, 0.72, 0.73, 0.0)])
    assert axis.ticks[0] > 0.5
    assert (axis.beyond(0.0), axis.place(0.0), axis.beyond(0.71)) == (-1, 0.0, 0)


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=30))
def test_every_value_has_a_place(values: list[float]) -> None:
    axis = axis_of([Estimate(value, value - 0.01, value + 0.01) for value in values])
    assert 2 <= len(axis.ticks) <= 8
    assert all(0 <= axis.place(value) <= 1 for value in values)
    assert [axis.place(value) for value in sorted(values)] == sorted(map(axis.place, values))
    assert sum(axis.beyond(value) == 0 for value in values) >= len(values) / 2


@given(st.lists(st.floats(0, 100), max_size=20), st.floats(0.1, 20))
def test_names_beside_values_never_overlap(values: list[float], gap: float) -> None:
    places = apart(sorted(values), gap)
    assert len(places) == len(values)
    assert all(later - earlier >= gap - 1e-6 for earlier, later in pairwise(places))
    if all(b - a > gap for a, b in pairwise(sorted(values))):
        assert places == pytest.approx(sorted(values))
