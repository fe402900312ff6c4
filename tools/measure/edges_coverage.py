"""What intervals hold where the bootstrap alone fails: simulated answers with known truth.

    python tools/measure/edges_coverage.py            # prints, writes results/edges_coverage.json

Four parts:

- edges: a measure at 0, 2, 98 and 100 % over 3, 10, 25 and 100 sentences, of one trained model (test
  sampling) and over five seeds (total interval), for accuracy and for SLU-F1;
- minutes: the bracket of minutes to close half of the gap, for three shapes of curve, three grids of budgets,
  five seeds, low and high noise;
- speakers: test sampling over sentences alone, and over sentences and speakers, where speakers differ;
- retrained: how often the prediction interval of one more seed rejects an honest one.
"""

from __future__ import annotations

import argparse
import datetime
import json
import math
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from slubench.board.analysis.gap_closed import minutes_bracket
from slubench.metrics import ClusterSums, Count, measure
from slubench.metrics.contrasts import moments
from slubench.metrics.sampling import sampled
from slubench.metrics.statistics import prediction_interval

Values = NDArray[np.float64]

REPLICATES = 400
RIGHT = [Count[f"{unit}_TP"] for unit in ("WORD", "CHAR")]
WRONG = [Count[f"{unit}_{kind}"] for unit in ("WORD", "CHAR") for kind in ("FP", "FN")]
METRICS = ("intent_accuracy", "slu_f1")

SHAPES: dict[str, Callable[[float], float]] = {
    "saturating": lambda share: (1 - math.exp(-share / 0.08)) / (1 - math.exp(-1 / 0.08)),
    "log": lambda share: math.log1p(200 * share) / math.log1p(200),
    "s-shaped": lambda share: share**2 / (share**2 + 0.07**2) * (1 + 0.07**2),
}
GRIDS = {"5/25/100": (5, 25, 100), "2/5/10/25/100": (2, 5, 10, 25, 100), "5/100": (5, 100)}
NOISE = {"low": (0.003, 0.004), "high": (0.02, 0.012)}  # standard deviations of seeds and of sentences


def answers(right: Values, entities: Values, names: tuple[tuple[str, ...], ...]) -> ClusterSums:
    """Sums of answers that have intent and entities right or wrong."""
    sums = np.zeros((len(right), len(Count)))
    sums[:, Count.ITEMS] = 1
    sums[:, Count.INTENT_TP] = right
    for column in RIGHT:
        sums[:, column] = right * entities
    for column in WRONG:
        sums[:, column] = (1 - right) * entities
    return ClusterSums(names, sums)


def edges(rate: float, n: int, trials: int, rng: np.random.Generator) -> dict[str, float]:
    """How often intervals hold a rate that n sentences were answered right at."""
    names = tuple(f"{n} {number:03}" for number in range(n))
    held: dict[str, int] = {}
    for _ in range(trials):
        # The chance of a sentence is its own; seeds share it.
        chances = np.full(n, rate) if rate in (0, 1) else rng.beta(rate, 1 - rate, n)
        entities = rng.choice(4, n, p=[0.33, 0.35, 0.22, 0.10]).astype(float)
        runs = [
            sampled(answers((rng.random(n) < chances).astype(float), entities, (names,)), measure, REPLICATES)
            for _ in range(5)
        ]
        for metric in METRICS:
            found = [run[metric] for run in runs]
            low, high = found[0].interval()
            held[f"sampling {metric}"] = held.get(f"sampling {metric}", 0) + (low <= rate <= high)
            clusters = min(one.clusters for one in found)
            if clusters >= 2:
                values = np.array([[one.value for one in found]])
                drawn = np.array([[one.replicates for one in found]])
                total = moments(values, drawn, clusters).estimate(np.ones(1))
                told = total.low - 1e-9 <= rate <= total.high + 1e-9
            else:
                told = True  # none is shown
            held[f"total {metric}"] = held.get(f"total {metric}", 0) + told
    return {kind: count / trials for kind, count in held.items()}


def minutes(
    shape: str, grid: str, noise: str, level: float, trials: int, rng: np.random.Generator
) -> dict[str, float]:
    """How often the bracket holds the minutes, how often it is bounded, and how wide it is."""
    curve, shares = SHAPES[shape], [share / 100 for share in GRIDS[grid]]
    seed_sd, sentence_sd = NOISE[noise]
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if curve(middle) < level else (low, middle)
    true = 100 * high
    levels = 0.5 + 0.3 * np.array([0.0, 1.0, *(curve(share) for share in shares)])
    held = bounded = 0
    widths = []
    for _ in range(trials):
        k = len(levels)
        seeds = 0.7 * rng.normal(0, seed_sd, (1, 5)) + 0.7 * rng.normal(0, seed_sd, (k, 5))
        sentence = 0.7 * rng.normal(0, sentence_sd) + 0.7 * rng.normal(0, sentence_sd, k)
        values = levels[:, None] + seeds + sentence[:, None]
        drawn = 0.7 * rng.normal(0, sentence_sd, (1, REPLICATES))
        drawn = drawn + 0.7 * rng.normal(0, sentence_sd, (k, REPLICATES))
        replicates = values[:, :, None] + drawn[:, None, :]
        found = moments(values, replicates, 500)
        cells = [found.estimate(_target(k, 2 + at, level)) for at in range(len(shares))]
        bracket = minutes_bracket([100 * share for share in shares], cells)
        held += bracket.low <= true and (bracket.high is None or true <= bracket.high)
        bounded += bracket.high is not None
        widths.append((bracket.high or 100.0) - bracket.low)
    return {
        "held": held / trials,
        "bounded": bounded / trials,
        "width": float(np.median(widths)),
        "true": true,
    }


def _target(k: int, cell: int, level: float) -> Values:
    weights = np.zeros(k)
    weights[0], weights[1], weights[cell] = level - 1, -level, 1
    return weights


def speakers(
    sentences: int, people: int, each: int, effect: float, trials: int, rng: np.random.Generator
) -> dict[str, float]:
    """How often test sampling holds the mean over all sentences and speakers, with and without the latter."""
    truth = _logistic_mean(0.9, math.hypot(1.0, effect))
    held = {"sentences": 0, "both": 0}
    for _ in range(trials):
        sentence = np.repeat(np.arange(sentences), each)
        speaker = rng.integers(0, people, len(sentence))
        level = 0.9 + rng.normal(0, 1, sentences)[sentence] + rng.normal(0, effect, people)[speaker]
        right = (rng.random(len(sentence)) < 1 / (1 + np.exp(-level))).astype(float)
        order = np.lexsort((speaker, sentence))
        names = (
            tuple(f"{one:05}" for one in sentence[order]),
            tuple(f"{one:05}" for one in speaker[order]),
        )
        both = answers(right[order], np.ones(len(right)), names)
        alone = ClusterSums(names[:1], both.sums)
        merged = np.unique(np.array(names[0]), return_inverse=True)
        sums = np.zeros((len(merged[0]), both.sums.shape[1]))
        np.add.at(sums, merged[1], alone.sums)
        for kind, clusters in (("sentences", ClusterSums((tuple(merged[0]),), sums)), ("both", both)):
            low, high = sampled(clusters, measure, REPLICATES)["intent_accuracy"].interval()
            held[kind] += low <= truth <= high
    return {kind: count / trials for kind, count in held.items()}


def _logistic_mean(level: float, spread: float) -> float:
    nodes, weights = np.polynomial.hermite_e.hermegauss(61)
    return float((1 / (1 + np.exp(-level - spread * nodes))) @ weights / weights.sum())


def retrained(seeds: int, trials: int, rng: np.random.Generator) -> dict[str, float]:
    """How often an honest new seed is rejected, by one more seed's interval and by that of the mean."""
    drawn = rng.normal(0.7, 0.01, (trials, seeds + 1)) + rng.normal(0, 0.01, (trials, 1))
    rejected = 0
    for row in drawn:
        low, high = prediction_interval(row[1:])
        rejected += not low <= row[0] <= high
    return {"rejected": rejected / trials}


def main() -> None:
    """Simulate, print, save."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--trials", type=int, default=400)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "edges_coverage.json")
    options = parser.parse_args()
    trials, start, rows = options.trials, time.monotonic(), []

    def add(**row: object) -> None:
        rows.append(row)
        print(*(f"{value:.3f}" if isinstance(value, float) else value for value in row.values()), flush=True)

    for shape in SHAPES:
        for grid in GRIDS:
            for noise in NOISE:
                rng = np.random.default_rng([1, len(shape), len(grid), len(noise)])
                found = minutes(shape, grid, noise, 0.5, trials, rng)
                add(part="minutes", shape=shape, grid=grid, noise=noise, **found)
    for seeds in (3, 4, 5, 7, 10):
        add(part="retrained", seeds=seeds, **retrained(seeds, 25 * trials, np.random.default_rng(seeds)))
    for design in ((300, 20, 1), (300, 60, 1), (300, 20, 4), (300, 60, 4), (1000, 150, 4)):
        for effect in (0.5, 1.0):
            rng = np.random.default_rng([2, *design, int(10 * effect)])
            found = speakers(*design, effect, trials, rng)
            names = dict(zip(("sentences", "speakers", "recordings"), design, strict=True))
            add(part="speakers", **names, effect=effect, alone=found["sentences"], both=found["both"])
    for n in (3, 10, 25, 100):
        for rate in (0.0, 0.02, 0.98, 1.0):
            found = edges(rate, n, trials, np.random.default_rng([3, n, int(100 * rate)]))
            add(part="edges", sentences=n, rate=rate, **found)
    report = {
        "command": "python tools/measure/edges_coverage.py",
        "date": datetime.datetime.now(tz=datetime.UTC).date().isoformat(),
        "numpy": np.__version__,
        "trials": trials,
        "seconds": round(time.monotonic() - start),
        "rows": rows,
    }
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
