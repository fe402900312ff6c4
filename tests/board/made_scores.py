"""Score rows of runs that never were, shaped like the paper's picture, for tests of the board."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from slubench.board.panel import Panel
from slubench.board.panels import panels_of
from slubench.board.runs import runs_of
from slubench.schemas import SCHEMA_VERSION, SCORES

POOL = 2000
BUDGETS = (0.0, 0.02, 0.05, 0.1, 0.25, 1.0)
STRATEGIES = ("zero-shot", "text-only", "speech-only", "direct-mix", "curriculum")
LANGUAGES = {"slurp": "en", "italic": "it"}


def score_rows(
    *,
    task: str = "massive-de",
    strategy: str = "curriculum",
    share: float = 0.05,
    data_seed: int = 0,
    train_seed: int = 0,
    edition: str = "mini",
    model: str = "tiny",
    track: str = "lora-lm",
    target: str = "none",
    slices: Sequence[tuple[str, str]] = (("all", "all"),),
    **changes: Any,
) -> list[dict[str, Any]]:
    """The score rows of one run; `changes` replace columns of every row."""
    draw = random.Random(f"{task} {strategy} {share} {data_seed} {train_seed} {edition} {model}")
    share = share if strategy not in ("zero-shot", "text-only") else 0.0
    bought = round(POOL * share)
    heard = 0 if not bought else 20 * bought if strategy == "speech-only" else min(3 * bought, POOL)
    test_in = task.rsplit("-", 1)[-1] if task not in LANGUAGES else LANGUAGES[task]
    spoken_in = task.split("-")[1] if "-to-" in task else test_in
    named = f"{task} {strategy} {share} {data_seed} {train_seed} {edition} {model} {track} {target}"
    train, answers, scores = (
        sha256(f"{part} {named}".encode()).hexdigest()[:16] for part in ("train", "answers", "scores")
    )
    identity: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "asr_fingerprint": None,
        "rules": 1,
        "scorer_version": "1",
        "run": f"{task}-{strategy}-{share:g}-{data_seed}-{scores[:8]}",
        "train_fingerprint": train,
        "answers_fingerprint": answers,
        "scores_fingerprint": scores,
        "edition": edition,
        "corpus": "speech-massive",
        "corpus_revision": sha256(edition.encode()).hexdigest()[:40],
        "task": task,
        "test_in": test_in,
        "speech_in": [spoken_in],
        "text_in": [spoken_in],
        "strategy": strategy,
        "strategy_digest": sha256(strategy.encode()).hexdigest(),
        "strategy_fingerprint": sha256(f"strategy {strategy}".encode()).hexdigest(),
        "model": model,
        "model_weights": sha256(model.encode()).hexdigest(),
        "track": track,
        "data_track": "closed",
        "ruleset": "fixed",
        "selection": "last",
        "engine": "transformers 5.17.0" if edition == "mini" else "vllm 0.32.0",
        "serving": "native" if strategy == "zero-shot" or edition == "mini" else "live",
        "dtype": "float32" if edition == "mini" else "bfloat16",
        "data_seed": data_seed,
        "train_seed": train_seed,
        "speech": f"{100 * share:g}%" if share else "0",
        "speech_share": share,
        "target": target,
        "clips_bought": bought,
        "clips_unique": bought,
        "clip_exposures": heard,
        "minutes_bought": bought * 0.05,
        "minutes_exposed": heard * 0.05,
        "text_rows": 0 if strategy in ("zero-shot", "speech-only") else 3 * POOL,
        "updates": 0 if strategy == "zero-shot" else 250,
        "cell_updates": None if strategy == "zero-shot" else 250,
        "flops": 1.2e13,
        "train_seconds": 0.0 if strategy == "zero-shot" else draw.uniform(70, 110),
        "answer_seconds": draw.uniform(20, 30),
        "tier": "local",
        "created": datetime(2026, 11, 1, tzinfo=UTC) + timedelta(minutes=data_seed),
    }
    rows: list[dict[str, Any]] = []
    for input_kind in ("speech", "text"):
        true = _level(strategy, share, input_kind) + draw.gauss(0, 0.008)
        for slice_by, name in slices:
            for metric, normalised, value in _metrics(true, draw):
                rows.append(
                    identity
                    | {
                        "input": input_kind,
                        "slice_by": slice_by,
                        "slice": name,
                        "metric": metric,
                        "normalised": normalised,
                        "value": value,
                        "low": max(value - 0.028, 0.0),
                        "high": min(value + 0.027, 1.0),
                        "n": 520,
                        "clusters": 500,
                        "speakers": None,
                    }
                    | changes
                )
    return rows


def _level(strategy: str, share: float, input_kind: str) -> float:
    if strategy == "zero-shot":
        return 0.02
    if strategy == "speech-only":
        learnt = share / (share + 0.08)
        return 0.86 * learnt if input_kind == "speech" else 0.55 * learnt + 0.1
    if input_kind == "text":
        return 0.955 - (0.02 if strategy == "curriculum" else 0.005) * (share > 0)
    reach = {"text-only": 0.0, "direct-mix": share / (share + 0.09), "curriculum": share / (share + 0.065)}
    return 0.64 + 0.25 * min(reach.get(strategy, share / (share + 0.12)), 0.94)


def _metrics(level: float, draw: random.Random) -> Iterator[tuple[str, bool, float]]:
    def within(value: float) -> float:
        return min(max(value, 0.0), 1.0)

    yield "slu_f1", True, within(level)
    yield "slu_f1", False, within(level - 0.006)
    yield "intent_accuracy", True, within(level + 0.05)
    yield "entity_f1", True, within(level - 0.05)
    yield "entity_f1", False, within(level - 0.062)
    yield "exact_match", True, within(level - 0.19)
    yield "exact_match", False, within(level - 0.2)
    yield "parse_failures", True, within(draw.uniform(0.0, 0.012))


def grid(
    tasks: Sequence[str] = ("massive-de",),
    strategies: Sequence[str] = STRATEGIES,
    budgets: Sequence[float] = BUDGETS,
    seeds: Sequence[int] = (0, 1, 2),
    **changes: Any,
) -> Iterator[list[dict[str, Any]]]:
    """The score rows of every run of a grid that its strategy allows, run by run."""
    for task in tasks:
        for strategy in strategies:
            uses_speech = strategy not in ("zero-shot", "text-only")
            for share in budgets:
                if uses_speech == (share > 0):
                    for seed in seeds:
                        yield score_rows(
                            task=task,
                            strategy=strategy,
                            share=share,
                            data_seed=seed,
                            train_seed=seed,
                            **changes,
                        )


def write_rows(path: Path, rows: Sequence[dict[str, Any]]) -> Path:
    """Write score rows to a Parquet file and give its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(list(rows), schema=SCORES), path)
    return path


def panels(*runs: Sequence[dict[str, Any]]) -> tuple[Panel, ...]:
    """The panels that the rows of some runs make."""
    rows = [row for run in runs for row in run]
    return panels_of(runs_of(pa.Table.from_pylist(rows, schema=SCORES)))


def panel(*runs: Sequence[dict[str, Any]]) -> Panel:
    """The one panel that the rows of some runs make."""
    (made,) = panels(*runs)
    return made


def scored(
    strategy: str, share: float, value: float, text: float = 0.9, **changes: Any
) -> list[dict[str, Any]]:
    """A run whose every metric is `value` asked in speech and `text` asked in text, give or take 0.03."""
    rows = score_rows(strategy=strategy, share=share, **changes)
    for row in rows:
        row["value"] = value if row["input"] == "speech" else text
        row["low"], row["high"] = row["value"] - 0.03, row["value"] + 0.03
    return rows
