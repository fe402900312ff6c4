"""How long a page of 10,000 runs takes, and how much memory: 120,000 score rows with their replicates.

    python bench/board_scale.py              # prints figures, writes bench/results/board_scale.json

Runs, scores and replicates are made first, in a temporary folder, and are not timed: 20 strategies at 5
budgets with 5 seeds on 20 tasks, 12 rows a run, 40 files. The build runs in a process of its own, whose
greatest memory is the figure.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from slubench.parts import COMPARED, REPLICATES, beside
from slubench.run import RULES, SCHEMA_VERSION
from slubench.tables import REPLICATES as REPLICATES_SCHEMA
from slubench.tables import SCORES

TASKS = [f"massive-{language}" for language in "de fr es it nl pl pt ru tr vi ar hu ko".split()]
TASKS += [f"massive-fr-to-{language}" for language in "de es nl pl pt ru tr".split()]
STRATEGIES = ["direct-mix", "curriculum", *(f"idea-{number}" for number in range(18))]
SHARES = {"2%": 0.02, "5%": 0.05, "10%": 0.1, "25%": 0.25, "100%": 1.0}
SEEDS, FILES = 5, 40
METRICS = ("slu_f1", "intent_accuracy", "entity_f1", "exact_match", "parse_failures", "word_f1")
LIMITS = {"seconds": 20.0, "GiB": 2.0}
BUILD = """
import resource, sys, time
from pathlib import Path
from slubench.board import build
started = time.perf_counter()
result = build(sorted(Path(sys.argv[1]).glob("*.parquet")), Path(sys.argv[2]))
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
print(time.perf_counter() - started, peak, result.runs)
"""


def runs(rng: np.random.Generator) -> Iterator[tuple[dict[str, Any], float]]:
    """What identifies each run, and its score."""
    number = 0
    for task in TASKS:
        for strategy in STRATEGIES:
            for speech, share in SHARES.items():
                for seed in range(SEEDS):
                    number += 1
                    level = 0.5 + 0.3 * share / (share + 0.1) + rng.normal(0, 0.01)
                    yield identity(number, task, strategy, speech, share, seed), level


def identity(number: int, task: str, strategy: str, speech: str, share: float, seed: int) -> dict[str, Any]:
    """The columns of `slubench.tables.IDENTITY` of one run."""
    source = "fr" if "-to-" in task else task.rsplit("-", 1)[-1]
    clips = round(11_514 * share)
    names = dict.fromkeys(
        ("train_fingerprint", "answers_fingerprint", "scores_fingerprint"), f"{number:016x}"
    )
    counts = {"clips_bought": clips, "clips_unique": clips, "clips_heard": clips, "updates": 500}
    words = {"edition": "full", "corpus": "massive", "corpus_revision": "r", "model": "m", "track": "lora-lm"}
    return {
        **names,
        **counts,
        **words,
        **{
            "schema_version": SCHEMA_VERSION,
            "rules": RULES,
            "scorer_version": "1",
            "run": f"{task}-{strategy}-{number}",
        },
        **{"task": task, "test_in": task.rsplit("-", 1)[-1], "speech_in": [source], "text_in": [source]},
        **{"strategy": strategy, "data_track": "closed", "ruleset": "fixed", "engine": "vllm 0.32.0"},
        **{"serving": "live", "data_seed": seed, "train_seed": seed, "speech": speech, "speech_share": share},
        **{
            "target": "none",
            "minutes_bought": 750 * share,
            "minutes_heard": 750 * share,
            "text_rows": 34_542,
        },
        **{"flops": 1e15, "train_seconds": 3000.0, "answer_seconds": 300.0, "tier": "local"},
        "created": datetime.datetime(2026, 11, 1, tzinfo=datetime.UTC),
    }


def write(folder: Path) -> int:
    """Write score files with replicates beside them; how many rows of scores."""
    rng = np.random.default_rng(0)
    every = list(runs(rng))
    written = 0
    for start in range(0, len(every), len(every) // FILES):
        part = every[start : start + len(every) // FILES]
        rows = [
            run
            | {"asked": asked, "slice_by": "all", "slice": "all", "metric": metric, "normalised": True}
            | {"value": level, "low": level - 0.02, "high": level + 0.02, "n": 2974, "clusters": 2974}
            for run, level in part
            for asked in ("speech", "text")
            for metric in METRICS
        ]
        path = folder / f"scores-{start:05}.parquet"
        pq.write_table(pa.Table.from_pylist(rows, schema=SCORES), path)
        beside(path, REPLICATES).parent.mkdir(exist_ok=True)
        pq.write_table(replicates(part, rng), beside(path, REPLICATES))
        written += len(rows)
    return written


def replicates(part: list[tuple[dict[str, Any], float]], rng: np.random.Generator) -> pa.Table:
    """Replicates of the measures that pages compare, asked in speech."""
    rows = [(run["scores_fingerprint"], metric, level) for run, level in part for metric in COMPARED]
    drawn = (np.array([[level] for _, _, level in rows]) + rng.normal(0, 0.01, (len(rows), 2000))).ravel()
    ends = pa.array(np.arange(len(rows) + 1, dtype=np.int32) * 2000)
    columns = [
        [fingerprint for fingerprint, _, _ in rows],
        ["speech"] * len(rows),
        [metric for _, metric, _ in rows],
        [level for _, _, level in rows],
        [2974] * len(rows),
        pa.ListArray.from_arrays(ends, pa.array(drawn.astype(np.float32))),
    ]
    return pa.table(dict(zip(REPLICATES_SCHEMA.names, columns, strict=True)), schema=REPLICATES_SCHEMA)


def main() -> None:
    """Make, build, print, save."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "board_scale.json")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place, "scores")
        folder.mkdir()
        rows = write(folder)
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        started = time.perf_counter()
        command = [sys.executable, "-c", BUILD, str(folder), str(Path(place, "site"))]
        said = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
        whole = time.perf_counter() - started
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds, peak, shown = float(said[0]), float(said[1]), int(said[2])
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    report = {
        "command": "python bench/board_scale.py",
        "date": datetime.datetime.now(tz=datetime.UTC).date().isoformat(),
        "python": platform.python_version(),
        "pyarrow": pa.__version__,
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),
        "runs": shown,
        "score_rows": rows,
        "seconds": round(seconds, 1),
        "process_seconds": round(whole, 1),
        "cpu_seconds": round(cpu, 1),
        "GiB": round(peak, 2),
        "limits": LIMITS,
        "held": seconds < LIMITS["seconds"] and peak < LIMITS["GiB"],
    }
    print(json.dumps(report, indent=1))
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
