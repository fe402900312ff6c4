"""A home whose runs were scored but never trained, and bundles of it that are tampered with."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from safetensors.numpy import save_file

from slubench.data.rows import read_rows
from slubench.domain.budget import Budget
from slubench.domain.ledger import Ledger
from slubench.domain.meaning import as_reply
from slubench.domain.run import Run
from slubench.domain.selection import LAST
from slubench.domain.strategy import Strategy
from slubench.domain.utterance import Utterance
from slubench.pipeline.buy import buy_and_hold_out
from slubench.pipeline.context import Context
from slubench.pipeline.plan import plan, predictions_folder
from slubench.pipeline.score import score
from slubench.pipeline.train import card_of, prepare
from slubench.registry import Registry
from slubench.registry.adapters import stem
from slubench.runtime.home import Home
from slubench.scoring.predictions import INPUTS, Prediction, read_reply, write_answers
from slubench.trainset.ledger import consumption

ENGINE = "transformers"

OWN = '''
"""Short sentences first, and a mark left by whoever imports this file."""

from pathlib import Path

from slubench import SPEECH, Example, Stage, Strategy

Path(__file__).with_suffix(".imported").touch()


def short_first(pool, rng):
    for utterance in sorted(pool.speech(), key=lambda utterance: len(utterance.text)):
        yield Example.spoken(utterance)


SHORT = Strategy(name="short-first", stages=(Stage(learns_from=SPEECH, compose=short_first),))
'''


def a_context(home: Path, mirror: Path | None) -> Context:
    """A context with its own home and declarations."""
    return Context(Home(home), Registry(home), mirror)


def a_run(
    context: Context,
    strategy: Strategy,
    speech: str = "50%",
    seed: int = 7,
    selection: str = LAST,
    origin: str = "",
) -> Run:
    """A run of a strategy on the mirror, with the tiny model."""
    model, weights = context.locate(context.registry.model("tiny"))
    return Run(
        task=context.registry.task("massive-de"),
        strategy=strategy,
        budget=Budget.parse(speech),
        model=model,
        weights=weights,
        data_seed=seed,
        train_seed=seed,
        edition="full",
        selection=selection,
        strategy_origin=origin,
    )


def pretend(
    context: Context,
    strategy: str,
    speech: str = "50%",
    seed: int = 0,
    wrong: float = 0.3,
    selection: str = LAST,
) -> Path:
    """Score a run whose adapter is a tensor of zeros and whose replies are gold, but for some.

    Args:
        context: Where it is kept.
        strategy: A name or a file.
        speech: The budget.
        seed: Both seeds, and that of the wrong replies.
        wrong: How many of the replies are not gold.
        selection: What is looked at.

    Returns:
        Its scores.
    """
    declared = context.registry.strategy(strategy)
    run = a_run(context, declared, speech, seed, selection, context.registry.origin(declared))
    planned = plan(run, context)
    ledger, folder = Ledger(), None
    if declared.stages:
        bought, watched = buy_and_hold_out(planned, context)
        train_set, ledger = prepare(planned.run, bought, watched)
        folder = context.home.adapters / stem(run.training, planned.trained)
        folder.mkdir(parents=True)
        save_file({"zeros": np.zeros(4, np.float32)}, folder / "adapter_model.safetensors")
        measured = {"seconds": 2.0, "flops": 1e9, "device": "cpu", "repository": str(run.model.repository)}
        (folder / "training.json").write_text(json.dumps(measured), "utf-8")
        job = context.home.runs / stem(run.training, planned.trained) / "train.json"
        job.parent.mkdir(parents=True)
        job.write_text(json.dumps({"strategy": run.strategy_origin}), "utf-8")
        consumed = consumption(train_set, watched.examples).to_json()
        job.with_name("consumed.json").write_text(json.dumps(consumed), "utf-8")
    card = card_of(planned, ledger, folder)
    card.save(context.home)
    kept = predictions_folder(context.home, card, planned.test, planned.answered)
    kept.mkdir(parents=True, exist_ok=True)
    test = read_rows(planned.test).utterances
    write_answers(
        kept / "answers.parquet",
        _replies(test, seed, wrong),
        test,
        context.recordings(planned.test, run.model),
    )
    report = {"engine": ENGINE, "version": "5.17.0", "serving": "native", "seconds": 1.5, "log": str(kept)}
    (kept / "report.json").write_text(json.dumps(report), "utf-8")
    return score(planned, context)


def _replies(test: Sequence[Utterance], seed: int, wrong: float) -> list[Prediction]:
    draw = random.Random(seed)
    return [
        read_reply(u.key, input_kind, "no JSON" if draw.random() < wrong else as_reply(u.meaning), 9)
        for input_kind in INPUTS
        for u in test
    ]


def sign(bundle: Path) -> None:
    """Write the manifest anew for the files that are there, as a forger would."""
    path = bundle / "manifest.json"
    manifest = json.loads(path.read_text("utf-8"))
    manifest["files"] = {
        str(file.relative_to(bundle)): {
            "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
            "bytes": file.stat().st_size,
        }
        for file in sorted(bundle.rglob("*"))
        if file.is_file() and file != path
    }
    path.write_text(json.dumps(manifest), "utf-8")


def change_json(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change a JSON object in place."""
    content = json.loads(path.read_text("utf-8"))
    change(content)
    path.write_text(json.dumps(content), "utf-8")


def change_rows(path: Path, change: Callable[[list[dict[str, Any]]], object]) -> None:
    """Change the rows of a Parquet file in place; its columns stay."""
    schema = pq.read_schema(path)
    rows = pq.read_table(path).to_pylist()
    change(rows)
    write_table(path, pa.Table.from_pylist(rows, schema=schema))


def write_table(path: Path, table: pa.Table, **options: Any) -> None:
    """Write a Parquet file without Arrow's own schema."""
    pq.write_table(table, path, store_schema=False, compression="zstd", **options)


def set_all(**values: object) -> Callable[[list[dict[str, Any]]], object]:
    """A change of rows that sets columns in all of them."""

    def change(rows: list[dict[str, Any]]) -> None:
        for row in rows:
            row.update(values)

    return change


def the(bundle: Path, strategy: str) -> Path:
    """The folder of a strategy's run in a bundle."""
    (folder,) = (bundle / "runs").glob(f"*--{strategy}--*")
    return folder


def published(checkout: Path) -> Mapping[str, bytes]:
    """All that a checkout has published, by path."""
    places = ("leaderboard/published", "adapters_registry/published", "strategies")
    folders = (checkout / place for place in places)
    files = (path for folder in folders for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(checkout)): path.read_bytes() for path in files}
