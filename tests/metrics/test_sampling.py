"""Intervals of test sampling: at the edges, over speakers, and of few sentences."""

from __future__ import annotations

import numpy as np
import pytest

from slubench.metrics import ClusterSums, Count, cluster_sums, measure
from slubench.metrics.bootstrap import factor_shares, percentile_interval
from slubench.metrics.contrasts import Moments, moments, total_interval
from slubench.metrics.sampling import Sampled, sampled, sampling_interval
from slubench.metrics.statistics import corrected, half_width, prediction_interval, unseen_share
from slubench.metrics.words import WER
from tools.measure.edges_coverage import answers, edges, minutes, retrained, speakers


def names(n: int) -> tuple[str, ...]:
    return tuple(f"{number:04}" for number in range(n))


def all_alike(n: int, right: float, entities: float = 1.0) -> ClusterSums:
    return answers(np.full(n, right), np.full(n, entities), (names(n),))


@pytest.mark.parametrize("n", [3, 10, 25, 100])
@pytest.mark.parametrize("metric", ["slu_f1", "intent_accuracy", "exact_match"])
def test_an_interval_at_0_or_100_percent_is_clopper_pearsons(n: int, metric: str) -> None:
    from scipy.stats import binomtest

    for right in (0.0, 1.0):
        clusters = all_alike(n, right)
        clusters.sums[:, Count.EXACT] = right
        due = binomtest(int(right * n), n).proportion_ci(0.95, "exact")
        assert sampled(clusters, measure, 100)[metric].interval() == pytest.approx((due.low, due.high))


def test_sentences_without_entities_do_not_narrow_slu_f1() -> None:
    entities = np.where(np.arange(100) < 10, 1.0, 0.0)
    found = sampled(answers(np.ones(100), entities, (names(100),)), measure, 100)
    assert found["slu_f1"].clusters == pytest.approx(10, rel=1e-3)
    assert found["intent_accuracy"].clusters == pytest.approx(100)
    assert found["slu_f1"].interval().low == pytest.approx(0.6915, abs=1e-3)


def test_speakers_widen_the_interval_at_100_percent_too() -> None:
    whole = all_alike(60, 1.0)
    people = ClusterSums((whole.names[0], tuple(str(n % 6) for n in range(60))), whole.sums)
    low, high = sampled(people, measure, 100)["intent_accuracy"].interval()
    assert (low, high) == pytest.approx((1 - unseen_share(0.05, 6), 1.0))


def test_a_total_interval_at_100_percent_has_a_width_and_is_marked() -> None:
    found = total_interval(np.ones(5), np.ones((5, 50)), clusters=100)
    assert (found.low, found.high) == pytest.approx((1 - unseen_share(0.05, 100), 1.0))
    assert found.degenerate


def test_seeds_that_agree_by_chance_still_differ_by_sentence() -> None:
    rng = np.random.default_rng(0)
    drawn = 0.7 + rng.normal(0, 0.01, (3, 1000))
    found = total_interval(np.full(3, 0.7), drawn, clusters=1000)
    assert found.seed_error == pytest.approx(0.01 / np.sqrt(3), rel=0.1)


def test_the_interval_over_sentences_has_one_degree_of_freedom_less_than_sentences() -> None:
    from scipy.stats import t

    # Of 4 sentences the quantile is that of 3 degrees of freedom: 3.18 and not 2.78.
    assert half_width(0.05, 0.0, 1.0, 5, 4) == pytest.approx(t.ppf(0.975, 3))
    assert half_width(0.05, 1.0, 0.0, 5, 4) == pytest.approx(t.ppf(0.975, 4))


def test_an_interval_over_few_sentences_is_wider_than_the_plain_percentiles() -> None:
    values = np.random.default_rng(0).normal(0.5, 0.1, 4000)
    plain, few = percentile_interval(values), percentile_interval(values, clusters=8)
    assert few.low < plain.low < plain.high < few.high
    assert few.high - few.low == pytest.approx(2 * 0.1 * 2.365 * np.sqrt(8 / 7), rel=0.06)


def test_intervals_stay_within_what_scores_can_be() -> None:
    rng = np.random.default_rng(0)
    wild = rng.normal(0.98, 0.05, 500)
    assert sampling_interval(0.98, wild, 50).high <= 1
    assert sampling_interval(0.98, wild, 50, bounds=(-1, 1)).high <= 1
    # Word error rates may be above 1.
    assert sampling_interval(1.2, wild + 0.22, 50).high > 1.2
    found = total_interval(np.array([0.0, 0.9, 1.0]), np.full((3, 9), 0.6), clusters=9)
    assert (found.low, found.high) == (0.0, 1.0)


def error_rates(seeds: int, rate: float) -> list[Sampled]:
    rng = np.random.default_rng(int(10 * rate))
    words = np.arange(3.0, 43.0)
    names = [f"sentence {at}" for at in range(40)], [f"speaker {at % 8}" for at in range(40)]
    edits = rng.poisson(words * rate, (seeds, 40))
    sums = [cluster_sums(np.stack([one, words], axis=1), *names) for one in edits]
    return [sampled(one, lambda counts: {"wer": WER.measure(counts)})["wer"] for one in sums]


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_intervals_of_a_metric_beyond_0_and_1_hold_its_value_and_have_two_sides(sign: float) -> None:
    runs = [error_rates(3, rate) for rate in (2.0, 0.2)]
    values = sign * np.array([[one.value for one in side] for side in runs])
    replicates = sign * np.array([[one.replicates for one in side] for side in runs])
    several = moments(values, replicates, 8.0)
    total, apart = several.estimate(np.array([1.0, 0.0])), several.estimate(np.array([1.0, -1.0]))
    alone = Sampled(float(values[0, 0]), replicates[0, 0], 8.0)
    for value, ends in ((total.value, total), (apart.value, apart), (alone.value, alone.interval())):
        down, up = value - ends.low, ends.high - value
        assert 0 < down < 1
        assert up == pytest.approx(down, rel=0.5)


def test_where_each_sentence_has_one_speaker_speakers_are_sampled_alone() -> None:
    one = ClusterSums((("a", "b", "c"), ("x", "x", "y")), np.ones((3, 1)))
    assert factor_shares(one) == [0.0, 1.0]
    crossed = ClusterSums((("a", "a", "b", "b"), ("x", "y", "x", "y")), np.ones((4, 1)))
    assert factor_shares(crossed) == pytest.approx([np.sqrt(0.5), 1.0])


def test_replicates_over_speakers_still_pair_by_subtraction() -> None:
    rng = np.random.default_rng(0)
    factors = (tuple(f"{n // 3:03}" for n in range(90)), tuple(str(n % 3 + n % 7) for n in range(90)))
    right = rng.random(90) < 0.6
    one, other = (
        answers(r.astype(float), np.ones(90), factors) for r in (right, right ^ (rng.random(90) < 0.1))
    )
    first, second = (sampled(sums, measure, 200)["intent_accuracy"] for sums in (one, other))
    apart = ClusterSums(factors, one.sums - other.sums)
    apart.sums[:, Count.ITEMS] = 1
    difference = sampled(apart, measure, 200)["intent_accuracy"]
    assert first.replicates - second.replicates == pytest.approx(difference.replicates)


def test_corrected_intervals_hold_0_exactly_where_p_is_not_below_5_percent() -> None:
    rng = np.random.default_rng(3)
    values = rng.normal([[0.002], [0.01], [0.015], [0.03]], 0.01, (4, 5))
    found = [moments(row[None], np.repeat(row[None, :, None], 60, 2), 10**6) for row in values]
    alone = [one.estimate(np.ones(1)).p for one in found]
    assert min(alone) < 0.05 < max(alone)
    for one, fixed in zip(found, corrected(alone), strict=True):
        estimate = one.estimate(np.array([1.0]), fixed.level)
        unbounded = Moments(one.means - 0, one.seed, one.sentence, 5, 10**6).estimate(np.ones(1), fixed.level)
        assert (estimate.value - 0 > 0 and unbounded.low > 0) == (fixed.p < 0.05)
        assert fixed.p >= estimate.p


def test_corrected_p_values_are_not_those_of_one_comparison() -> None:
    assert [one.p for one in corrected([0.01])] == [0.01]
    assert [one.p for one in corrected([0.03, 0.02])] == pytest.approx([0.045, 0.04])
    assert [one.p for one in corrected([0.01, 0.04, 0.03, 0.5])] == pytest.approx([0.04, 0.12, 0.105, 1.0])


# What tools/measure/edges_coverage.py counts in full.


@pytest.mark.parametrize("rate", [0.0, 0.02, 0.98, 1.0])
@pytest.mark.parametrize("n", [3, 25])
def test_intervals_at_the_edges_hold_the_truth(n: int, rate: float) -> None:
    found = edges(rate, n, 40, np.random.default_rng([n, int(100 * rate)]))
    assert min(found.values()) >= 0.85  # of 40


@pytest.mark.parametrize("shape", ["saturating", "log", "s-shaped"])
@pytest.mark.parametrize("grid", ["5/25/100", "2/5/10/25/100", "5/100"])
@pytest.mark.parametrize("noise", ["low", "high"])
def test_minutes_to_close_half_of_the_gap_lie_in_the_bracket(shape: str, grid: str, noise: str) -> None:
    found = minutes(shape, grid, noise, 0.5, 60, np.random.default_rng(1))
    assert found["held"] >= 0.93


def test_intervals_over_sentences_and_speakers_hold_what_those_over_sentences_miss() -> None:
    found = speakers(300, 30, 1, 1.0, 120, np.random.default_rng(5))
    assert found["sentences"] < 0.85
    assert 0.88 <= found["both"] <= 1.0


@pytest.mark.parametrize("seeds", [3, 5, 10])
def test_an_honest_seed_is_rejected_in_one_case_of_twenty(seeds: int) -> None:
    rejected = retrained(seeds, 4000, np.random.default_rng(seeds))["rejected"]
    assert rejected == pytest.approx(0.05, abs=0.011)  # three standard errors


def test_seeds_that_all_failed_still_leave_room_for_one_right_reply() -> None:
    found = prediction_interval(np.zeros(3), replies=100)
    assert found == pytest.approx((0.0, 0.0362), abs=1e-4)  # Clopper-Pearson for 0 of 100


def test_one_more_seed_lies_within_what_scores_can_be() -> None:
    assert prediction_interval(np.array([0.98, 1.0, 0.9])).high == 1.0
    assert prediction_interval(np.array([0.02, 0.0, 0.1])).low == 0.0
