"""Makes runs that never were, as large as real ones, with replicates and a record beside each score file."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from hashlib import sha256
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
SEEDS = 5
HEADLINE = [metric.name for metric in shipped().values() if metric.headline]
SCORED = [metric for metric in shipped() if not metric.startswith(("lenient_", "format_"))]
SLICES = {
    "intent": 58,
    "length": 3,
    "speaker_sex": 2,
    "condition": 2,
    "entities": 2,
    "speaker": 2,
    "speaker_country_of_birth": 1,
    "speaker_first_language": 1,
    "language": 1,
    "sentence": 1,
}
"""Columns of the published files with their numbers of slices."""


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
        ("train_fingerprint", "answers_fingerprint", "scores_fingerprint"),
        sha256(str(number).encode()).hexdigest(),
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
        "strategy_digest": sha256(strategy.encode()).hexdigest(),
        "strategy_fingerprint": sha256(f"fingerprint of {strategy}".encode()).hexdigest(),
        "model_weights": "0" * 40,
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


def write(folder: Path, most: int | None = None, *, first: int = 0) -> int:
    """Write a score file a run with replicates and record beside it.

    Args:
        folder: Where to.
        most: How many runs, all where None.
        first: The runs before this one are left out.

    Returns:
        How many rows of scores.
    """
    rng = np.random.default_rng(first)
    places = pa.Table.from_pylist(measured())
    one = len(places)
    chosen = [run for number, run in enumerate(runs(np.random.default_rng(0))) if number >= first][:most]
    for kind in (REPLICATES, RECORDS):
        beside(folder / "a", kind).parent.mkdir(parents=True, exist_ok=True)
    for run, level in chosen:
        values = level + rng.normal(0, 0.03, one)
        counted = {"value": values, "low": values - 0.02, "high": values + 0.02}
        known = {name: places.column(name) for name in places.column_names} | counted
        columns = [
            known[field.name]
            if field.name in known
            else pa.repeat(pa.scalar(run.get(field.name), field.type), one)
            for field in SCORES
        ]
        path = folder / f"{run['task']}--{run['strategy']}--{run['scores_fingerprint'][:8]}.parquet"
        table = pa.table(dict(zip(SCORES.names, columns, strict=True))).cast(SCORES)
        pq.write_table(table, path, compression="zstd")
        pq.write_table(replicates([(run, level)], rng), beside(path, REPLICATES), compression="zstd")
        pq.write_table(records([(run, level)]), beside(path, RECORDS), compression="zstd")
    return one * len(chosen)


def measured() -> list[dict[str, Any]]:
    """What each row of a run measures: every metric of the whole test, four of each slice."""
    named = [("all", "all"), *((by, f"{by} {at}") for by, many in SLICES.items() for at in range(many))]
    return [
        {"input": input_kind, "slice_by": by, "slice": name, "metric": metric, "normalised": normalised}
        | {"n": 2974, "clusters": 2974, "speakers": 90}
        for input_kind in ("speech", "text")
        for normalised in (True, False)
        for by, name in named
        for metric in (SCORED if by in ("all", "length", "entities") else HEADLINE_AND_ENTITIES)
    ]


HEADLINE_AND_ENTITIES = ("slu_f1", "intent_accuracy", "entity_f1", "exact_match")


def replicates(part: list[tuple[dict[str, Any], float]], rng: np.random.Generator) -> pa.Table:
    """Replicates of the headline metrics, speech input."""
    rows = [(run["scores_fingerprint"], metric, level) for run, level in part for metric in HEADLINE]
    drawn = (np.array([[level] for _, _, level in rows]) + rng.normal(0, 0.01, (len(rows), 2000))).ravel()
    ends = pa.array(np.arange(len(rows) + 1, dtype=np.int32) * 2000)
    columns = {
        "scores_fingerprint": [fingerprint for fingerprint, _, _ in rows],
        "input": ["speech"] * len(rows),
        "metric": [metric for _, metric, _ in rows],
        "value": [level for _, _, level in rows],
        "clusters": [2974] * len(rows),
        "speakers": [90] * len(rows),
        "effective": [90.0] * len(rows),
        "replicates": pa.ListArray.from_arrays(ends, pa.array(drawn.astype(np.float32))),
    }
    return pa.table(columns, schema=REPLICATES_SCHEMA)


def records(part: list[tuple[dict[str, Any], float]]) -> pa.Table:
    """Records as large as those of real runs: 80 facts, a curve of 60 points, 24 sample answers."""
    facts = [(f"training.fact_{number:02}", f"{number:032x}") for number in range(78)]
    facts += [("training.peak_memory_bytes", "40000000000"), ("training.trainable_parameters", "20000000")]
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
