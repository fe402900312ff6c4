"""Contrasts give what `statistics` gives of the same numbers; ratios and ranks hold what they promise."""

from __future__ import annotations

import math

import numpy as np
import pytest

from slubench.metrics.contrasts import Moments, moments, ratio
from slubench.metrics.statistics import MeanEstimate, Values, estimate_of, rank_sets


def drawn(quantities: int = 3, seeds: int = 5, replicates: int = 400) -> tuple[Values, Values]:
    rng = np.random.default_rng(7)
    values = 0.6 + 0.05 * np.arange(quantities)[:, None] + rng.normal(0, 0.01, (quantities, seeds))
    shared = rng.normal(0, 0.01, replicates)
    return values, values[:, :, None] + shared + rng.normal(0, 0.004, (quantities, seeds, replicates))


def plainly(values: Values, replicates: Values, clusters: int) -> MeanEstimate:
    """The total interval of one quantity by variances alone, as docs/statistics.md writes them."""
    seeds, mean = len(values), replicates.mean(axis=0)
    both = float(np.var(replicates - mean, axis=1, ddof=1).sum()) / (seeds - 1) / seeds
    seed, sentence = float(np.var(values, ddof=1)) / seeds, float(np.var(mean, ddof=1)) - both
    return estimate_of(float(values.mean()), seed, max(0.0, sentence), seeds, clusters)


def test_one_quantity_has_its_total_interval() -> None:
    values, replicates = drawn()
    ours = moments(values, replicates, 500).estimate(np.array([0.0, 1.0, 0.0]))
    assert ours.__dict__ == pytest.approx(plainly(values[1], replicates[1], 500).__dict__)


def test_a_difference_is_the_paired_one() -> None:
    values, replicates = drawn()
    ours = moments(values, replicates, 500).estimate(np.array([-1.0, 0.0, 1.0]))
    other = plainly(values[2] - values[0], replicates[2] - replicates[0], 500)
    assert ours.__dict__ == pytest.approx(other.__dict__)


def test_what_does_not_fit_is_refused() -> None:
    values, replicates = drawn()
    with pytest.raises(ValueError, match="at least two seeds"):
        moments(values[:, :1], replicates[:, :1], 500)
    with pytest.raises(ValueError, match="do not match"):
        moments(values, replicates[:2], 500)


def test_the_ends_of_a_ratio_just_touch() -> None:
    values, replicates = drawn()
    measured = moments(values, replicates, 500)
    above, below = np.array([-1.0, 1.0, 0.0]), np.array([-1.0, 0.0, 1.0])
    found = ratio(measured, above, below)
    assert found is not None
    assert found.low < found.value < found.high
    assert found.value == pytest.approx((values[1] - values[0]).mean() / (values[2] - values[0]).mean())
    for end in (found.low, found.high):
        estimate = measured.estimate(above - end * below)
        assert min(abs(estimate.low), abs(estimate.high)) < 1e-9


def test_a_share_of_nothing_is_none() -> None:
    values, replicates = drawn()
    values, replicates = values - values.mean(axis=1, keepdims=True), replicates * 0 + values[:, :, None]
    assert ratio(moments(values, replicates, 500), np.array([1.0, 0, 0]), np.array([0, 1.0, -1.0])) is None


def test_a_share_of_a_gap_that_turned_round_is_none() -> None:
    values, replicates = drawn()
    measured = moments(values, replicates, 500)
    assert measured.excess(np.array([1.0, 0.0, -1.0])) > 0  # shown, but below 0
    assert ratio(measured, np.array([1.0, -1.0, 0.0]), np.array([1.0, 0.0, -1.0])) is None


def test_an_end_that_nothing_bounds_is_infinite() -> None:
    none = np.zeros((2, 2))
    wide = Moments(np.array([1.0, 1.0]), np.diag([1e6, 0.0]), none, 5, 500)
    found = ratio(wide, np.array([1.0, 0.0]), np.array([0.0, 1.0]))
    assert found is not None
    assert (found.low, found.high) == (-math.inf, math.inf)


def test_ratios_hold_the_truth_about_as_often_as_they_say() -> None:
    rng = np.random.default_rng(3)
    held = 0
    for _ in range(400):
        seeds = rng.normal(0, 0.01, (3, 5))
        values = np.array([0.6, 0.7, 0.8])[:, None] + seeds + rng.normal(0, 0.005)
        replicates = values[:, :, None] + rng.normal(0, 0.005, 200)
        found = ratio(moments(values, replicates, 500), np.array([-1.0, 1, 0]), np.array([-1.0, 0, 1]))
        assert found is not None
        held += found.low <= 0.5 <= found.high
    assert 0.92 <= held / 400 <= 0.99


def test_ranks_follow_what_is_shown() -> None:
    assert rank_sets(3, [(2, 1), (2, 0), (1, 0)]) == [(3, 3), (2, 2), (1, 1)]
    assert rank_sets(3, [(2, 0)]) == [(2, 3), (1, 3), (1, 2)]
    assert rank_sets(3, []) == [(1, 3)] * 3
    assert rank_sets(1, []) == [(1, 1)]
