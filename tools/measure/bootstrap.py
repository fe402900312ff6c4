"""How long the bootstrap of one score takes: SLURP's test in size, 13,078 answers to 2,974 sentences.

    python tools/measure/bootstrap.py                # prints a table, writes results/bootstrap.json

Timed is all that an interval of SLU-F1 needs once answers are counted: sums per sentence, 2,000 replicates
whose weights are drawn from the sentences' names, the measures, the interval. The same with sentence and
speaker as crossed factors is timed beside it. The counts are drawn, as time does not depend on them.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from slubench.metrics import Count, Counts, Interval, cluster_sums, measure
from slubench.metrics.bootstrap import REPLICATES, _by_first_bits, _thresholds
from slubench.metrics.sampling import sampled

ANSWERS, SENTENCES, SPEAKERS = 13_078, 2_974, 131
LIMIT = 3.0  # seconds
TIMES = 5


def answers(rng: np.random.Generator) -> tuple[Counts, list[str], list[str]]:
    """Counts of answers, and for each its sentence and speaker; every sentence is asked at least once."""
    counts = rng.integers(0, 3, (ANSWERS, len(Count))).astype(np.float64)
    counts[:, Count.ITEMS] = 1
    spread = np.concatenate([np.arange(SENTENCES), rng.integers(0, SENTENCES, ANSWERS - SENTENCES)])
    sentences = [f"sentence-{number}" for number in rng.permutation(spread)]
    speakers = [f"speaker-{number}" for number in rng.integers(0, SPEAKERS, ANSWERS)]
    return counts, sentences, speakers


def bootstrap(counts: Counts, *factors: list[str]) -> Interval:
    """The interval of SLU-F1 from the counts of answers."""
    return sampled(cluster_sums(counts, *factors), measure)["slu_f1"].interval()


def seconds(work: Callable[[], object]) -> list[float]:
    """Wall-clock seconds of each of TIMES repetitions, whose tables of thresholds are made anew."""
    taken = []
    for _ in range(TIMES):
        _thresholds.cache_clear()
        _by_first_bits.cache_clear()
        started = time.perf_counter()
        work()
        taken.append(round(time.perf_counter() - started, 3))
    return taken


def main() -> None:
    """Time, print, save."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "bootstrap.json")
    options = parser.parse_args()
    counts, sentences, speakers = answers(np.random.default_rng(0))
    taken = {
        "sentences": seconds(lambda: bootstrap(counts, sentences)),
        "sentences and speakers": seconds(lambda: bootstrap(counts, sentences, speakers)),
    }
    print(f"{REPLICATES:,} replicates of SLU-F1 on {ANSWERS:,} answers to {SENTENCES:,} sentences, seconds")
    for name, figures in taken.items():
        middle = statistics.median(figures)
        print(f"{name:<24} median {middle:.2f}, {min(figures):.2f} to {max(figures):.2f}")
    held = statistics.median(taken["sentences"]) < LIMIT
    report = {
        "command": "python tools/measure/bootstrap.py",
        "date": datetime.datetime.now(tz=datetime.UTC).date().isoformat(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),
        "answers": ANSWERS,
        "replicates": REPLICATES,
        "seconds": taken,
        "limit": LIMIT,
        "held": held,
    }
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    print(f"under {LIMIT:g} s: {'yes' if held else 'NO'}")


if __name__ == "__main__":
    main()
