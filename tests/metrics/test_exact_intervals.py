"""Intervals, p-values and quantiles against scipy's distributions, digit by digit."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from slubench.metrics import ClusterSums, Count, cluster_sums, measure, replicate
from slubench.metrics.bootstrap import draw, factor_shares, name_keys, percentile_interval
from slubench.metrics.contrasts import Moments, paired_difference, ratio, total_interval
from slubench.metrics.sampling import Sampled, sampled
from slubench.metrics.statistics import (
    corrected,
    estimate_of,
    half_width,
    natural_bounds,
    prediction_interval,
    randomisation_p,
)

NONE = np.zeros((2, 2))


def clopper_pearson(alpha: float, n: float) -> float:
    """The upper end for none of n."""
    return float(stats.beta.ppf(1 - alpha / 2, 1, n))


def test_a_corrected_interval_has_the_level_that_its_p_was_raised_by() -> None:
    # Four one-sided halves and their complements by Holm: 0.01 * 4 and 0.015 * 3.
    first, second = corrected([0.03, 0.02])
    assert (first.p, second.p) == pytest.approx((0.045, 0.04))
    assert (first.level, second.level) == pytest.approx((1 - 0.05 * 2 / 3, 1 - 0.05 / 2))
    # A p that becomes 1 takes the widest, Bonferroni's for all of them.
    assert [one.level for one in corrected([0.9, 0.8, 0.7, 0.6])] == pytest.approx([1 - 0.05 / 4] * 4)
    assert corrected([0.9, 0.8], level=0.9)[0].level == pytest.approx(0.95)


def test_where_all_sentences_went_alike_each_side_has_the_room_that_is_left_there() -> None:
    found = estimate_of(0.9, 0.01**2, 0.0, 5, 10, bounds=(0.0, 1.0), degenerate=True)
    t, unseen = stats.t.ppf(0.975, 4), clopper_pearson(0.05, 10)
    assert 0.9 - found.low == pytest.approx(math.hypot(t * 0.01, 0.9 * unseen))
    assert found.high == pytest.approx(min(1.0, 0.9 + math.hypot(t * 0.01, 0.1 * unseen)))
    assert (found.seed_error, found.sentence_error) == pytest.approx((0.01, 0.0))
    # p is the level at which the end towards 0 touches it, whatever side of 0 the value is on.
    for value, bounds in ((0.3, (-0.4, 0.9)), (-0.3, (-0.9, 0.4))):
        found = estimate_of(value, 0.01**2, 0.0, 5, 10, bounds=bounds, degenerate=True)
        reach = math.hypot(stats.t.ppf(found.p / 2, 4) * 0.01, 0.7 * clopper_pearson(found.p, 10))
        assert reach == pytest.approx(0.3, rel=1e-6)


@pytest.mark.parametrize(("value", "n"), [(0.02, 100), (0.97, 60), (0.5, 3)])
def test_an_interval_that_reaches_beyond_a_score_is_wilsons(value: float, n: int) -> None:
    z = stats.norm.ppf(0.975)
    variance = value * (1 - value) / n
    found = estimate_of(value, 0.0, variance, 5, 1e9, bounds=(0.0, 1.0))
    middle = (value + z * z / 2 / n) / (1 + z * z / n)
    reach = z / (1 + z * z / n) * math.sqrt(variance + z * z / 4 / n / n)
    # It never narrows: an end that lies further out in the plain interval stays, within 0 and 1.
    half = z * math.sqrt(variance)
    assert found.low == pytest.approx(max(0.0, min(value - half, middle - reach)), abs=1e-6)
    assert found.high == pytest.approx(min(1.0, max(value + half, middle + reach)), abs=1e-6)


def test_one_more_seed_is_students_interval_for_one_more_draw() -> None:
    values = np.array([0.60, 0.62, 0.64])
    low, high = prediction_interval(values)
    half = stats.t.ppf(0.975, 2) * 0.02 * math.sqrt(1 + 1 / 3)
    assert (low, high) == pytest.approx((0.62 - half, 0.62 + half))
    narrow = prediction_interval(values, level=0.8)
    assert narrow.high - 0.62 == pytest.approx(stats.t.ppf(0.9, 2) * 0.02 * math.sqrt(4 / 3))
    # Seeds that agree by chance are held to what a seed does to single sentences.
    agree = prediction_interval(np.full(3, 0.5), both=0.01**2)
    assert agree.high - 0.5 == pytest.approx(stats.t.ppf(0.975, 2) * 0.01 * math.sqrt(4 / 3))


def test_widths_of_seeds_sentences_and_what_is_unseen_add_as_squares() -> None:
    seeds, sentences = stats.t.ppf(0.975, 4), stats.t.ppf(0.975, 9)
    unseen = 0.5 * clopper_pearson(0.05, 10)
    due = math.sqrt((seeds * 0.02) ** 2 + (sentences * 0.03) ** 2 + unseen**2)
    assert half_width(0.05, 0.02**2, 0.03**2, 5, 10, 0.5) == pytest.approx(due)


def test_rates_of_errors_have_no_upper_end_and_scores_have() -> None:
    assert natural_bounds(np.array([0.2, 0.9])) == (0.0, 1.0)
    assert natural_bounds(np.array([0.2, 1.3])) == (0.0, math.inf)
    assert natural_bounds(np.array([-0.2, 0.3])) == (-math.inf, 1.0)


def test_of_cells_with_few_and_many_sentences_the_few_count() -> None:
    several = Moments(np.array([0.7, 0.5]), NONE, np.diag([0.01**2, 0.0]), 5, np.array([4.0, 900.0]))
    found = several.estimate(np.array([1.0, -1.0]))
    assert found.high - 0.2 == pytest.approx(stats.t.ppf(0.975, 3) * 0.01)


def test_how_far_a_sum_lies_beyond_its_interval_counts_the_side_towards_0() -> None:
    alike = Moments(np.array([0.9, 0.0]), np.diag([0.01**2, 0.0]), NONE, 5, 10)
    weights = np.array([1.0, 0.0])
    half = math.hypot(stats.t.ppf(0.975, 4) * 0.01, 0.9 * clopper_pearson(0.05, 10))
    assert alike.excess(weights) == pytest.approx(0.9 - half)
    assert alike.estimate(weights).low == pytest.approx(0.9 - half)
    below = Moments(np.array([0.0, 0.9]), np.diag([0.0, 0.01**2]), NONE, 5, 10)
    assert below.excess(np.array([0.0, -1.0])) == pytest.approx(0.9 - half)


@pytest.mark.parametrize("level", [0.5, 0.8, 0.99])
def test_the_level_that_is_asked_for_is_the_one_that_is_given(level: float) -> None:
    t = stats.t.ppf((1 + level) / 2, 4)
    values = np.array([0.70, 0.72, 0.75, 0.71, 0.70])
    flat = np.repeat(values[:, None], 60, axis=1)
    width = t * values.std(ddof=1) / math.sqrt(5)
    assert total_interval(values, flat, 10**9, level).high == pytest.approx(values.mean() + width)
    apart = paired_difference((values, flat), (values * 0 + 0.6, flat * 0 + 0.6), 10**9, level)
    assert apart.low == pytest.approx(values.mean() - 0.6 - width)
    measured = Moments(np.array([0.1, 0.2]), np.diag([0.01**2, 0.0]), NONE, 5, 10**9)
    share = ratio(measured, np.array([1.0, 0.0]), np.array([0.0, 1.0]), level)
    assert share is not None
    assert (share.value, share.low, share.high) == pytest.approx((0.5, 0.5 - t * 0.05, 0.5 + t * 0.05))
    replicates = np.random.default_rng(0).random(4001)
    low, high = Sampled(0.5, replicates, math.inf).interval(level)
    assert (low, high) == pytest.approx(tuple(np.quantile(replicates, [(1 - level) / 2, (1 + level) / 2])))


@pytest.mark.parametrize("clusters", [2, 3, 8, 40])
def test_percentiles_of_few_sentences_are_expanded_as_students_t(clusters: int) -> None:
    uniform = np.linspace(0.0, 1.0, 100_001)
    tail = stats.norm.cdf(stats.t.ppf(0.025, clusters - 1) * math.sqrt(clusters / (clusters - 1)))
    assert percentile_interval(uniform, 0.95, clusters) == pytest.approx((tail, 1 - tail), abs=1e-6)
    assert percentile_interval(uniform, 0.9) == pytest.approx((0.05, 0.95), abs=1e-6)
    assert Sampled(0.5, uniform, clusters).interval() == pytest.approx((tail, 1 - tail), abs=1e-6)


def test_sentences_count_less_the_fewer_speakers_each_has() -> None:
    # One sentence of three speakers, one of a single one: 4 / (3^2 + 1^2) is counted twice.
    some = ClusterSums((("a", "a", "a", "b"), ("x", "y", "z", "x")), np.ones((4, 1)))
    assert factor_shares(some) == pytest.approx([math.sqrt(0.6), 1.0])


def replies(factors: tuple[tuple[str, ...], ...], right: np.ndarray) -> ClusterSums:
    counts = np.zeros((len(right), len(Count)))
    counts[:, Count.ITEMS], counts[:, Count.INTENT_TP] = 1.0, right
    return cluster_sums(counts, *factors)


FACTORS = ("aabbccd", "xyxyxzz")
RIGHT = np.array([1.0, 0.0, 1.0, 1.0, 0.0, 0.0, 1.0])


def test_a_replicate_is_the_value_and_what_other_sentences_and_other_speakers_change() -> None:
    sums = replies((tuple(FACTORS[0]), tuple(FACTORS[1])), RIGHT)
    found = sampled(sums, measure, 40)["intent_accuracy"]
    due = np.full(40, 4 / 7)
    for at, share in enumerate((math.sqrt(1 - 7 / 13), 1.0)):
        drawn = replicate(replies((tuple(FACTORS[at]),), RIGHT), 40, salt=str(at))
        items, hits = drawn[:, Count.ITEMS], drawn[:, Count.INTENT_TP]
        # Where no sentence was drawn at all nothing is told.
        due += share * np.where(items > 0, hits / np.where(items > 0, items, 1) - 4 / 7, 0.0)
    assert found.replicates == pytest.approx(due)
    # Effective numbers: four sentences of 2, 2, 2, 1 replies, three speakers of 2, 2, 3; the fewer count.
    alike = replies((tuple(FACTORS[0]), tuple(FACTORS[1])), np.ones(7))
    assert sampled(alike, measure, 4)["intent_accuracy"].clusters == pytest.approx(49 / 17, rel=1e-3)


def test_a_replicate_without_any_sentence_is_no_score_of_0() -> None:
    found = sampled(replies((("a", "b"),), np.ones(2)), measure, 400)["intent_accuracy"]
    assert found.replicates.tolist() == [1.0] * 400


def test_sentences_of_many_recordings_count_for_fewer() -> None:
    sums = replies((tuple("abccdddd"),), np.ones(8))
    assert sampled(sums, measure, 20)["intent_accuracy"].clusters == pytest.approx(64 / 22, rel=1e-3)


ACCURACY = "intent_accuracy"


def test_no_randomisation_finds_less_than_one_in_all_swaps_and_the_given() -> None:
    names = tuple(f"{at:03}" for at in range(200))
    best, worst = replies((names,), np.ones(200)), replies((names,), np.zeros(200))
    for shuffles in (0, 99, 999):
        p = randomisation_p(best, worst, lambda sums: measure(sums)[ACCURACY], shuffles)
        assert p == 1 / (shuffles + 1)


def test_swaps_by_sentence_and_by_speaker_add_with_the_shares_of_each() -> None:
    cells = [(f"s{at}", f"p{who}") for at in range(12) for who in range(4) if (at + who) % 3]
    names = tuple(cell[0] for cell in cells), tuple(cell[1] for cell in cells)
    rng = np.random.default_rng(2)
    left, right = ((rng.random(len(cells)) < rate).astype(float) for rate in (0.7, 0.4))
    one, other = replies(names, left), replies(names, right)
    shuffles, size = 800, len(cells)
    swapped = np.zeros(shuffles)
    for at, share in enumerate(factor_shares(one)):
        kinds = sorted(set(names[at]))
        coins = draw(name_keys(kinds, "swap1" if at else "swap"), np.arange(shuffles, dtype=np.uint64)) >> 63
        for number in range(shuffles):
            turned = {kind: bool(coin) for kind, coin in zip(kinds, coins[number], strict=True)}
            flips = np.array([turned[name] for name in names[at]])
            swapped[number] += share * np.where(flips, right - left, left - right).sum() / size
    observed = abs(left.sum() - right.sum()) / size
    due = (1 + np.count_nonzero(np.abs(swapped) >= observed - 1e-12)) / (shuffles + 1)
    assert 0.02 < due < 0.5
    found = randomisation_p(one, other, lambda sums: measure(sums)[ACCURACY], shuffles)
    assert found == pytest.approx(due)
