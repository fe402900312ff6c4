"""Makes 10,000 runs that never were: 120,000 score rows with replicates and records beside them."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from slubench.metrics import shipped
from slubench.runtime.home import RECORDS, REPLICATES, beside
from slubench.schemas import RECORDS as RECORDS_SCHEMA
from slubench.schemas import REPLICATES as REPLICATES_SCHEMA
from slubench.schemas import RULES, SCHEMA_VERSION, SCORES

TASKS = [f"massive-{language}" for language in "de fr es it nl pl pt ru tr vi ar hu ko".split()]
TASKS += [f"massive-fr-to-{language}" for language in "de es nl pl pt ru tr".split()]
STRATEGIES = ["direct-mix", "curriculum", *(f"idea-{number}" for number in range(18))]
SHARES = {"2%": 0.02, "5%": 0.05, "10%": 0.1, "25%": 0.25, "100%": 1.0}
SEEDS, FILES = 5, 40
HEADLINE = [metric.name for metric in shipped().values() if metric.headline]
METRICS = ("slu_f1", "intent_accuracy", "entity_f1", "exact_match", "parse_failures", "word_f1")


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
    """The columns of `slubench.schemas.IDENTITY` of one run."""
    source = "fr" if "-to-" in task else task.rsplit("-", 1)[-1]
    clips = round(11_514 * share)
    names = dict.fromkeys(
        ("train_fingerprint", "answers_fingerprint", "scores_fingerprint"), f"{number:016x}"
    )
    counts = {"clips_bought": clips, "clips_unique": clips, "clip_exposures": clips, "updates": 500}
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
        "selection": "last",
        **{"serving": "live", "data_seed": seed, "train_seed": seed, "speech": speech, "speech_share": share},
        **{
            "target": "none",
            "minutes_bought": 750 * share,
            "minutes_exposed": 750 * share,
            "text_rows": 34_542,
        },
        **{"flops": 1e15, "train_seconds": 3000.0, "answer_seconds": 300.0, "tier": "local"},
        "created": datetime.datetime(2026, 11, 1, tzinfo=datetime.UTC),
    }


def write(folder: Path) -> int:
    """Write score files with replicates and records beside them; how many rows of scores."""
    rng = np.random.default_rng(0)
    every = list(runs(rng))
    written = 0
    for start in range(0, len(every), len(every) // FILES):
        part = every[start : start + len(every) // FILES]
        rows = [
            run
            | {"input": input_kind, "slice_by": "all", "slice": "all", "metric": metric, "normalised": True}
            | {"value": level, "low": level - 0.02, "high": level + 0.02, "n": 2974, "clusters": 2974}
            for run, level in part
            for input_kind in ("speech", "text")
            for metric in METRICS
        ]
        path = folder / f"scores-{start:05}.parquet"
        pq.write_table(pa.Table.from_pylist(rows, schema=SCORES), path)
        beside(path, REPLICATES).parent.mkdir(exist_ok=True)
        pq.write_table(replicates(part, rng), beside(path, REPLICATES))
        beside(path, RECORDS).parent.mkdir(exist_ok=True)
        pq.write_table(records(part), beside(path, RECORDS))
        written += len(rows)
    return written


def replicates(part: list[tuple[dict[str, Any], float]], rng: np.random.Generator) -> pa.Table:
    """Replicates of the headline metrics, speech input."""
    rows = [(run["scores_fingerprint"], metric, level) for run, level in part for metric in HEADLINE]
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


def records(part: list[tuple[dict[str, Any], float]]) -> pa.Table:
    """Records as large as those of real runs: 80 facts, a curve of 60 points, 24 sample answers."""
    facts = [(f"training.fact_{number:02}", f"{number:032x}") for number in range(80)]
    reply = (
        '{"scenario":"calendar","action":"set","entities":[{"date":"neunten oktober"},{"time":"fünf uhr"}]}'
    )
    samples = [
        {"utterance": str(number // 2), "input": "text" if number % 2 else "speech", "reply": reply}
        | {"parsed": True, "right": number < 12, "said": None, "meant": None}
        for number in range(24)
    ]
    rows = [
        {"scores_fingerprint": run["scores_fingerprint"], "train_fingerprint": run["train_fingerprint"]}
        | {"strategy_file": f"strategies/{run['strategy']}.py", "strategy_sha256": f"{0:064x}"}
        | {"strategy_source": f'"""One of many."""\n\nNAME = "{run["strategy"]}"\n' * 10, "facts": facts}
        | {"curve_updates": list(range(8, 488, 8)), "curve_losses": [1 / (1 + at) for at in range(60)]}
        | {"samples": samples}
        for run, _ in part
    ]
    return pa.Table.from_pylist(rows, schema=RECORDS_SCHEMA)
