"""Intervals of test sampling: the weights' law and determinism, and what an interval promises."""

from __future__ import annotations

import subprocess
import sys
import time

import numpy as np
import pytest

from slubench.metrics import Count, cluster_sums, measure, percentile_interval, replicate
from slubench.metrics.bootstrap import draw, name_keys, poisson

NUMBERS = np.arange(2000, dtype=np.uint64)


def names(n: int, prefix: str = "") -> tuple[str, ...]:
    return tuple(f"{prefix}{number}" for number in range(n))


KEYS = [10288537681850712419, 10363528715315369113, 18316916282708265381]
WEIGHTS = [
    [0, 1, 1, 0, 1, 1, 1, 2, 1, 4, 1, 0],
    [0, 0, 0, 0, 2, 1, 0, 2, 1, 1, 1, 1],
    [0, 0, 1, 2, 1, 1, 1, 0, 1, 1, 0, 2],
]


def test_weights_are_poisson_of_mean_one() -> None:
    weights = poisson(name_keys(names(500), "0"), NUMBERS)  # a million draws
    shares = np.bincount(weights.ravel(), minlength=9)[:9] / weights.size
    law = np.exp(-1.0) / np.cumprod([1.0, 1, 2, 3, 4, 5, 6, 7, 8])
    assert shares == pytest.approx(law, abs=4 * np.sqrt(law.max() / weights.size))
    assert weights.mean() == pytest.approx(1, abs=0.004)
    assert weights.var() == pytest.approx(1, abs=0.007)


def test_weights_of_two_names_and_two_replicates_are_uncorrelated() -> None:
    weights = poisson(name_keys(names(300), "0"), NUMBERS[:300]).astype(float)
    for table in (weights, weights.T):
        others = np.corrcoef(table)[np.triu_indices(300, k=1)]
        assert np.mean(others) == pytest.approx(0, abs=0.0011)  # 44,850 pairs of sd 1/sqrt(300)
        assert np.mean(others**2) == pytest.approx(1 / 300, rel=0.04)


def test_weights_are_known_numbers() -> None:
    # Fixed once: another machine, Python or numpy must give these, or paired runs would no longer pair.
    keys = name_keys(("0", "4711", "größer"), "0")
    assert keys.tolist() == KEYS
    assert poisson(keys, np.arange(12, dtype=np.uint64)).T.tolist() == WEIGHTS


def test_draws_follow_splitmix64() -> None:
    # The first outputs of SplitMix64 seeded with 0, as in Vigna's reference implementation.
    assert [hex(value) for value in draw(np.zeros(1, np.uint64), NUMBERS[:3])[:, 0].tolist()] == [
        "0xe220a8397b1dcdaf",
        "0x6e789e6aa1b965f4",
        "0x6c45d188009454f",
    ]


def test_the_hash_seed_does_not_matter() -> None:
    code = (
        "import numpy as np; from slubench.metrics import cluster_sums, replicate;"
        "counts = np.arange(40.0).reshape(20, 2);"
        "print(replicate(cluster_sums(counts, [str(i % 7) for i in range(20)]), 3).tolist())"
    )
    printed = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": "benchmark"},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "77")
    }
    assert len(printed) == 1


def test_a_clusters_weight_does_not_depend_on_the_others() -> None:
    counts = np.eye(6)
    whole = replicate(cluster_sums(counts, names(6)), 50)
    part = replicate(cluster_sums(counts[2:4], names(6)[2:4]), 50)
    assert np.array_equal(whole[:, 2:4], part[:, 2:4])


def test_runs_pair_by_subtraction() -> None:
    rng = np.random.default_rng(0)
    hard = rng.normal(size=(400, 1)) * 10
    ones, sentences = np.ones((400, 1)), names(400)
    a = replicate(cluster_sums(np.hstack([ones, hard]), sentences))
    b = replicate(cluster_sums(np.hstack([ones, hard + 0.5]), sentences))
    difference = b[:, 1] / b[:, 0] - a[:, 1] / a[:, 0]
    assert difference == pytest.approx(np.full(2000, 0.5))


def test_sums_are_by_cluster_in_the_order_of_names() -> None:
    clusters = cluster_sums(np.array([[1.0], [2.0], [4.0]]), ["b", "a", "b"])
    assert clusters.names == (("a", "b"),)
    assert clusters.sums.tolist() == [[2.0], [5.0]]
    assert clusters.total.tolist() == [7.0]


def test_order_of_answers_does_not_matter() -> None:
    rng = np.random.default_rng(3)
    counts, sentences = rng.integers(0, 5, (200, 4)).astype(float), [str(n) for n in rng.integers(0, 30, 200)]
    order = rng.permutation(200)
    assert np.array_equal(
        replicate(cluster_sums(counts, sentences), 20),
        replicate(cluster_sums(counts[order], [sentences[at] for at in order]), 20),
    )


def test_blocks_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    clusters = cluster_sums(np.arange(90, dtype=np.float64).reshape(30, 3), names(30))
    whole = replicate(clusters, 101)
    monkeypatch.setattr("slubench.metrics.bootstrap._CELLS_A_BLOCK", 64)
    assert np.allclose(replicate(clusters, 101), whole, rtol=1e-12)


@pytest.mark.parametrize("factors", [(), (["a"],), (["a", "b"], ["x"])])
def test_factors_must_fit(factors: tuple[list[str], ...]) -> None:
    with pytest.raises(ValueError, match="every prediction"):
        cluster_sums(np.ones((2, 1)), *factors)


def test_a_sentence_and_a_speaker_of_one_name_have_weights_of_their_own() -> None:
    assert not np.array_equal(name_keys(("7",), "0"), name_keys(("7",), "1"))


def test_percentile_interval() -> None:
    interval = percentile_interval(np.arange(1001, dtype=np.float64))
    assert interval == pytest.approx((25.0, 975.0))


def test_coverage_over_clusters() -> None:
    """95 % intervals of an accuracy over clusters of 1 to 6 alike recordings hold the truth in 95 %."""
    rng = np.random.default_rng(11)
    n, trials, truth = 200, 400, 0.7
    weights = poisson(name_keys(names(n), "0"), np.arange(500, dtype=np.uint64)).astype(float)
    held = 0
    for _ in range(trials):
        recordings = rng.integers(1, 7, n)
        easy = rng.beta(2.1, 0.9, n)  # mean 0.7
        right = rng.binomial(recordings, easy)
        low, high = percentile_interval((weights @ right) / (weights @ recordings))
        held += low <= truth <= high
    assert 0.92 <= held / trials <= 0.98  # 3 standard errors of 1.1 points


def test_real_size_is_quick() -> None:
    rng = np.random.default_rng(0)
    counts = rng.integers(0, 4, (13078, len(Count))).astype(float)
    sentences = [str(number) for number in rng.integers(0, 2974, 13078)]
    start = time.process_time()
    interval = percentile_interval(measure(replicate(cluster_sums(counts, sentences)))["slu_f1"])
    assert time.process_time() - start < 3
    assert interval.low < interval.high
