"""Intervals and tests over seeds, against closed forms, scipy and simulated truth."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from slubench.domain.meaning import Entity, Meaning
from slubench.metrics import ClusterSums, Count, cluster_sums, shipped, tally_all
from slubench.metrics.contrasts import paired_difference, total_interval
from slubench.metrics.statistics import holm, randomisation_p

Values = NDArray[np.float64]
SLU, INTENT = shipped()["slu_f1"].measure, shipped()["intent_accuracy"].measure


def runs(
    seeds: int, seed_sd: float, sentence_sd: float, both_sd: float, rng: np.random.Generator
) -> tuple[Values, Values]:
    """Means of 200 sentences in each of some runs, and their replicates; the truth is 0."""
    table = (
        rng.normal(0, seed_sd, (seeds, 1))
        + rng.normal(0, sentence_sd, (1, 200))
        + rng.normal(0, both_sd, (seeds, 200))
    )
    weights = WEIGHTS / WEIGHTS.sum(axis=1, keepdims=True)
    return table.mean(axis=1), table @ weights.T


WEIGHTS = np.random.default_rng(7).poisson(1.0, (300, 200)).astype(np.float64)


def test_where_only_seeds_matter_it_is_the_plain_t_interval() -> None:
    from scipy import stats

    values = np.array([0.70, 0.72, 0.75, 0.71, 0.70])
    replicates = np.repeat(values[:, None], 100, axis=1)  # every sentence alike
    found = total_interval(values, replicates, clusters=10**9)
    known = stats.ttest_1samp(values, 0)
    assert (found.low, found.high) == pytest.approx(tuple(known.confidence_interval(0.95)))
    assert found.p == pytest.approx(known.pvalue, rel=1e-6)
    assert found.sentence_error == pytest.approx(0, abs=1e-12)
    assert found.seeds == 5


def test_where_seeds_agree_it_is_the_bootstraps_normal_interval() -> None:
    one = np.random.default_rng(0).normal(0.7, 0.01, 2000)
    found = total_interval(np.full(3, 0.7), np.tile(one, (3, 1)), clusters=10**6)
    assert found.seed_error == pytest.approx(0, abs=1e-12)
    assert found.high - 0.7 == pytest.approx(1.959964 * one.std(ddof=1), rel=1e-5)
    assert found.value == pytest.approx(0.7)


def test_paired_t_over_seeds() -> None:
    from scipy import stats

    rng = np.random.default_rng(2)
    a, b = rng.normal(0.7, 0.02, 5), rng.normal(0.69, 0.02, 5)
    found = paired_difference(
        (a, np.repeat(a[:, None], 50, axis=1)), (b, np.repeat(b[:, None], 50, axis=1)), clusters=10**9
    )
    assert found.value == pytest.approx(a.mean() - b.mean())
    assert found.p == pytest.approx(stats.ttest_rel(a, b).pvalue, rel=1e-6)


def test_what_sentences_share_between_strategies_cancels() -> None:
    rng = np.random.default_rng(3)
    values, replicates = runs(5, 0.01, 1.0, 0.0, rng)
    shift = rng.normal(0.03, 0.002, 5)
    found = paired_difference(
        (values + shift, replicates + shift[:, None]), (values, replicates), clusters=10**6
    )
    assert found.sentence_error == pytest.approx(0, abs=1e-9)
    assert found.low > 0
    assert found.p < 0.001
    alone = total_interval(values, replicates, clusters=200)
    assert alone.sentence_error == pytest.approx(1 / np.sqrt(200), rel=0.25)


@pytest.mark.parametrize("level", [0.5, 0.9, 0.95, 0.99])
def test_p_is_the_level_at_which_the_interval_touches_zero(level: float) -> None:
    values, replicates = runs(4, 0.05, 0.5, 0.5, np.random.default_rng(5))
    values, replicates = values + 0.1, replicates + 0.1
    found = total_interval(values, replicates, clusters=200, level=level)
    touching = total_interval(values, replicates, clusters=200, level=1 - found.p)
    assert min(abs(touching.low), abs(touching.high)) < 1e-9
    assert (found.low > 0 or found.high < 0) == (found.p < 1 - level)


def test_no_difference_at_all_still_has_a_width() -> None:
    same = np.array([0.7, 0.71]), np.full((2, 10), 0.7)
    found = paired_difference(same, same, clusters=10)
    assert (found.value, found.p, found.degenerate) == (0, 1, True)
    # Clopper-Pearson for 0 of 10 sentences that differ.
    assert (found.low, found.high) == pytest.approx((-0.3085, 0.3085), abs=1e-4)


@pytest.mark.parametrize(
    ("values", "replicates", "clusters", "says"),
    [
        (np.ones(1), np.ones((1, 9)), 9, "at least two seeds"),
        (np.ones(2), np.ones((2, 9)), 1, "at least two seeds and clusters"),
        (np.ones(2), np.ones((3, 9)), 9, "do not match 2 seeds"),
        (np.ones(2), np.ones(9), 9, "do not match 2 seeds"),
    ],
)
def test_what_allows_no_interval(values: Values, replicates: Values, clusters: int, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        total_interval(values, replicates, clusters)


def test_pairs_need_the_same_seeds() -> None:
    with pytest.raises(ValueError, match="same seeds"):
        paired_difference((np.ones(3), np.ones((3, 9))), (np.ones(2), np.ones((2, 9))), clusters=9)


@pytest.mark.parametrize(("seed_sd", "sentence_sd", "both_sd"), [(0.3, 0.3, 1), (0.05, 1, 1), (0, 0.1, 1)])
def test_coverage_at_five_seeds(seed_sd: float, sentence_sd: float, both_sd: float) -> None:
    rng = np.random.default_rng(13)
    found = [total_interval(*runs(5, seed_sd, sentence_sd, both_sd, rng), clusters=200) for _ in range(600)]
    held = np.mean([estimate.low <= 0 <= estimate.high for estimate in found])
    assert 0.925 <= held <= 0.98  # 95 % within three standard errors; tools/measure/coverage.py counts better


def models(hits: tuple[float, float], n: int, seed: int) -> tuple[ClusterSums, ClusterSums]:
    """Two models that find a sentence's one entity this often, over n sentences of two recordings."""
    rng = np.random.default_rng(seed)
    gold = Meaning("alarm", "set", (Entity("time", "five"),))
    wrong = Meaning("alarm", "query")
    sentences = [str(number // 2) for number in range(2 * n)]

    def answers(rate: float) -> ClusterSums:
        right = np.repeat(rng.random(n) < rate, 2)
        return cluster_sums(tally_all([gold] * (2 * n), [gold if r else wrong for r in right]), sentences)

    return answers(hits[0]), answers(hits[1])


@pytest.mark.parametrize("metric", ["slu_f1", "intent_accuracy"])
def test_randomisation_finds_a_difference(metric: str) -> None:
    a, b = models((0.8, 0.6), 200, seed=1)
    measure = shipped()[metric].measure
    assert randomisation_p(a, b, measure, shuffles=999) < 0.01
    assert randomisation_p(a, b, measure, 999) == randomisation_p(b, a, measure, 999)
    assert randomisation_p(a, a, measure, shuffles=99) == 1


def test_randomisation_is_the_sign_test_of_few_sentences() -> None:
    # All 8 sentences favour one model: 2 of 2**8 swaps part them as much.
    a, b = models((1.0, 0.0), 8, seed=1)
    assert randomisation_p(a, b, INTENT, 20000) == pytest.approx(2 / 2**8, abs=0.002)


def test_randomisation_keeps_its_level() -> None:
    ps = np.array([randomisation_p(*models((0.7, 0.7), 60, seed), SLU, 199) for seed in range(300)])
    assert (ps <= 0.05).mean() <= 0.09  # three standard errors
    assert (ps <= 0.5).mean() == pytest.approx(0.5, abs=0.12)


def test_randomisation_swaps_whole_speakers_where_each_sentence_has_one() -> None:
    a, b = models((0.8, 0.6), 60, seed=4)
    speakers = tuple(str(number % 12) for number in range(60))
    first, second = (ClusterSums((one.names[0], speakers), one.sums) for one in (a, b))
    merged = [cluster_sums(one.sums, speakers) for one in (a, b)]
    assert randomisation_p(first, second, SLU, 4999) == pytest.approx(
        randomisation_p(merged[0], merged[1], SLU, 4999), abs=0.02
    )


def test_randomisation_needs_the_same_clusters() -> None:
    a, _ = models((0.8, 0.6), 5, seed=1)
    b, _ = models((0.8, 0.6), 6, seed=1)
    with pytest.raises(ValueError, match="same sentences and speakers"):
        randomisation_p(a, b, SLU)


def test_randomisation_over_nothing() -> None:
    none = ClusterSums(((),), np.zeros((0, len(Count))))
    assert randomisation_p(none, none, SLU) == 1


@pytest.mark.parametrize(
    ("p", "corrected"),
    [
        ([], []),
        ([0.03], [0.03]),
        ([0.01, 0.04, 0.03, 0.005], [0.03, 0.06, 0.06, 0.02]),  # 0.005*4, 0.01*3, 0.03*2, then not less
        ([0.5, 0.9], [1.0, 1.0]),
        ([0.01, 0.01], [0.02, 0.02]),
    ],
)
def test_holm(p: list[float], corrected: list[float]) -> None:
    assert holm(p) == pytest.approx(corrected)
