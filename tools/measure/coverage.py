"""What the intervals of slubench.metrics hold: simulated answers with known truth.

    python tools/measure/coverage.py                 # prints a table, writes results/coverage.json

Two strategies are trained with 3, 5 and 10 seeds and answer the same sentences. Whether an answer is right
depends, on the logit scale, on the sentence, on the seed, on both together, and on chance; of which how much
is what the scenarios differ in. The truth is the mean over all seeds of the measure over all sentences, by
quadrature. Counted is how often 95 % intervals hold it:

- sampling: percentile bootstrap over sentences, for one trained model (truth: this seed's);
- total: `total_interval`, for one strategy;
- difference: `paired_difference` of two strategies;
- significant: share of differences with p < 0.05 (where there is none, of false ones);
- resampled: the percentile bootstrap over seeds that is not used, for comparison.
"""

from __future__ import annotations

import argparse
import datetime
import json
import platform
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

import numpy as np
import scipy
from numpy.typing import NDArray

from slubench.metrics import SCORER_VERSION, Count, Counts, measure, percentile_interval
from slubench.metrics.bootstrap import name_keys, poisson
from slubench.metrics.contrasts import paired_difference, total_interval

Values = NDArray[np.float64]

SEEDS = (3, 5, 10)
METRICS = ("slu_f1", "intent_accuracy")
KINDS = ("sampling", "total", "difference", "significant", "resampled")
REPLICATES = 400
ENTITIES = np.array([0.33, 0.35, 0.22, 0.10])  # chance of 0, 1, 2, 3 entities in a sentence
NEAR, SPURIOUS = 0.5, 0.3  # of entities not found: filler half wrong; something else said
WORD, CHAR = 0.5, 0.25  # distances of a filler half wrong
COLUMNS = [Count[f"{unit}_{count}"] for unit in ("WORD", "CHAR") for count in ("TP", "FP", "FN")]


@dataclass(frozen=True)
class Scenario:
    """Where answers vary, in standard deviations on the logit scale.

    Attributes:
        name: What it stands for.
        sentences: Clusters in the test.
        seed: Between seeds.
        sentence: Between sentences.
        both: Of a seed with a sentence.
        shared: Correlation of the two strategies' seed effects, and of what these do to sentences.
        gain: By how much the first strategy is better.
        recordings: Mean number of recordings of a sentence.
        skewed: Whether seed effects are exponential, few runs going badly, instead of normal.
    """

    name: str
    sentences: int = 500
    seed: float = 0.1
    sentence: float = 1.0
    both: float = 0.7
    shared: float = 0.5
    gain: float = 0.2
    recordings: float = 1.0
    skewed: bool = False


SCENARIOS = (
    Scenario("sentences and seeds alike"),
    Scenario("sentences alone", seed=0.0, both=0.0, shared=0.0),
    Scenario("seeds by sentence", seed=0.0, both=1.5, shared=0.0),
    Scenario("seeds above all", seed=0.4),
    Scenario("no difference", gain=0.0),
    Scenario("recordings repeat sentences", recordings=4.4),
    Scenario("2,974 sentences", sentences=2974),
    Scenario("100 sentences", sentences=100),
    Scenario("some seeds go badly", seed=0.3, skewed=True),
)


def logistic(x: Values) -> Values:
    """The logistic function."""
    return 1 / (1 + np.exp(-x))


def seed_effects(scenario: Scenario, rng: np.random.Generator, n: int) -> Values:
    """Standardised effects of some seeds, shape (n,)."""
    return 1 - rng.exponential(size=n) if scenario.skewed else rng.normal(size=n)


def quadrature(scenario: Scenario) -> tuple[Values, Values]:
    """Seed effects and their weights."""
    if scenario.skewed:
        nodes, weights = np.polynomial.laguerre.laggauss(60)
        return 1 - nodes, weights
    return normal_quadrature()


@cache
def normal_quadrature() -> tuple[Values, Values]:
    """Nodes and weights of a standard normal."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(61)
    return nodes, weights / weights.sum()


def population(scenario: Scenario, effects: Values, gain: float) -> dict[str, Values]:
    """Each measure over all sentences, for runs of these seed effects."""
    nodes, weights = normal_quadrature()
    spread = np.hypot(scenario.sentence, scenario.both)
    level = scenario.seed * effects[:, None] + spread * nodes[None, :]
    found = logistic(0.9 + gain + level) @ weights
    missed = 1 - found
    counts = np.zeros((len(effects), len(Count)))
    counts[:, COLUMNS] = entity_counts(found, NEAR * missed, (1 - NEAR) * missed, SPURIOUS * missed)
    counts[:, Count.ITEMS] = 1
    counts[:, Count.INTENT_TP] = logistic(1.5 + gain + level) @ weights
    measured = measure(counts)
    return {metric: measured[metric] for metric in METRICS}


def entity_counts(found: Values, near: Values, missed: Values, spurious: Values) -> Counts:
    """Word and char counts on a last axis, in the order of COLUMNS."""
    units = [
        column
        for distance in (WORD, CHAR)
        for column in (found + near, distance * near + spurious, distance * near + missed)
    ]
    return np.stack(units, axis=-1)


def simulate(
    scenario: Scenario, seeds: int, rng: np.random.Generator
) -> Iterator[tuple[Values, Values, Counts]]:
    """For each of two strategies its seed effects, recordings per sentence, and sums.

    Yields:
        Seed effects (seeds,); recordings (sentences,); counts (sentences, seeds, COLUMNS and intents right).
    """
    n = scenario.sentences
    recordings = np.ones(n, dtype=np.int64)
    if scenario.recordings > 1:
        recordings += rng.poisson(scenario.recordings - 1, n)
    gold = rng.choice(4, n, p=ENTITIES) * recordings
    hard = scenario.sentence * rng.normal(size=n)
    shared_seed, shared_both = seed_effects(scenario, rng, seeds), rng.normal(size=(seeds, n))
    for gain in (scenario.gain, 0.0):
        # Correlated by taking some of the shared draws as they are, which keeps any law's shape.
        own = rng.random(seeds) >= scenario.shared
        effects = np.where(own, seed_effects(scenario, rng, seeds), shared_seed)
        kept = np.sqrt(scenario.shared)
        both = kept * shared_both + np.sqrt(1 - scenario.shared) * rng.normal(size=(seeds, n))
        level = gain + hard + scenario.seed * effects[:, None] + scenario.both * both
        found = rng.binomial(gold, logistic(0.9 + level))
        missed = gold - found
        near = rng.binomial(missed, NEAR)
        entities = entity_counts(
            found.astype(float),
            near.astype(float),
            (missed - near).astype(float),
            rng.binomial(missed, SPURIOUS).astype(float),
        )
        right = rng.binomial(recordings, logistic(1.5 + level)).astype(float)
        counts = np.concatenate([entities, right[..., None]], axis=-1)
        yield effects, recordings.astype(float), np.ascontiguousarray(counts.transpose(1, 0, 2))


def measured(weights: Values, recordings: Values, counts: Counts) -> dict[str, Values]:
    """Measures of weighted sums, shape (seeds, len(weights))."""
    sums = (weights @ counts.reshape(len(recordings), -1)).reshape(len(weights), *counts.shape[1:])
    full = np.zeros((counts.shape[1], len(weights), len(Count)))
    full[..., COLUMNS] = sums[..., :-1].transpose(1, 0, 2)
    full[..., Count.INTENT_TP] = sums[..., -1].T
    full[..., Count.ITEMS] = weights @ recordings
    found = measure(full)
    return {metric: found[metric] for metric in METRICS}


def coverage(scenario: Scenario, seeds: int, trials: int) -> list[dict[str, object]]:
    """How often each interval of one scenario holds the truth, a row a metric."""
    rng = np.random.default_rng([seeds, scenario.sentences, len(scenario.name)])
    names = [f"{scenario.name} {number}" for number in range(scenario.sentences)]
    weights = poisson(name_keys(names, "0"), np.arange(REPLICATES, dtype=np.uint64)).astype(np.float64)
    whole = np.ones((1, scenario.sentences))
    nodes, chances = quadrature(scenario)
    truth = [population(scenario, nodes, gain) for gain in (scenario.gain, 0.0)]
    held: dict[str, Counter[str]] = {metric: Counter() for metric in METRICS}
    for _ in range(trials):
        drawn = list(simulate(scenario, seeds, rng))
        points = [measured(whole, recordings, counts) for _, recordings, counts in drawn]
        replicates = [measured(weights, recordings, counts) for _, recordings, counts in drawn]
        own = population(scenario, drawn[0][0][:1], scenario.gain)
        again = rng.integers(0, seeds, (REPLICATES, seeds))
        for metric in METRICS:
            first, second = ((p[metric][:, 0], r[metric]) for p, r in zip(points, replicates, strict=True))
            true, other = (float(values[metric] @ chances) for values in truth)
            total = total_interval(*first, scenario.sentences)
            apart = paired_difference(first, second, scenario.sentences)
            sampling = percentile_interval(first[1][0], clusters=scenario.sentences)
            resampled = percentile_interval(first[0][again].mean(axis=1))
            held[metric].update(
                sampling=bool(sampling.low <= own[metric][0] <= sampling.high),
                total=bool(total.low <= true <= total.high),
                difference=bool(apart.low <= true - other <= apart.high),
                resampled=bool(resampled.low <= true <= resampled.high),
                significant=bool(apart.p < 0.05),
            )
    return [
        {"scenario": scenario.name, "seeds": seeds, "metric": metric, "trials": trials}
        | {kind: round(count / trials, 4) for kind, count in held[metric].items()}
        for metric in METRICS
    ]


def main() -> None:
    """Simulate, print, save."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--trials", type=int, default=1000)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "coverage.json")
    options = parser.parse_args()
    start = time.monotonic()
    rows: list[dict[str, object]] = []
    print(f"{'scenario':<28} seeds {'metric':<16}", *KINDS)
    for scenario in SCENARIOS:
        for seeds in SEEDS:
            for row in coverage(scenario, seeds, options.trials):
                rows.append(row)
                shown = [f"{row[kind]:>{len(kind)}}" for kind in KINDS]
                print(f"{scenario.name:<28} {seeds:>5} {row['metric']:<16}", *shown, flush=True)
    report = {
        "command": " ".join(["python", "tools/measure/coverage.py", *sys.argv[1:]]),
        "date": datetime.datetime.now(tz=datetime.UTC).date().isoformat(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "scipy": scipy.__version__,
        "scorer": SCORER_VERSION,
        "seconds": round(time.monotonic() - start),
        "standard_error": round(float(np.sqrt(0.95 * 0.05 / options.trials)), 4),
        "scenarios": [asdict(scenario) for scenario in SCENARIOS],
        "rows": rows,
    }
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
