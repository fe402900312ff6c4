"""Reads the training set composed in the sandbox, and checks it against pool, budget and updates."""

from __future__ import annotations

import math
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from slubench.domain.run import Run
from slubench.domain.strategy import Example
from slubench.errors import SlubenchError, VerificationError
from slubench.pipeline.train import cell_of
from slubench.runtime.digest import Digests
from slubench.schemas import TRAIN_EXAMPLES
from slubench.submission.adapter_files import dress, tensors
from slubench.submission.bundle.untrusted_files import opened, parse_object, read_plain
from slubench.submission.bundle.untrusted_parquet import read_table
from slubench.trainset.provenance import Provenance
from slubench.trainset.purchase import Purchase
from slubench.trainset.rules import beyond_budget, beyond_stages, beyond_updates
from slubench.trainset.train_set import StageExamples

FOLDER, FILE = "runs/retrained", "lessons.parquet"
"""The path of the training set below the sandbox's output folder, as in a bundle."""


def read_back(folder: Path, run: Run, bought: Purchase) -> tuple[StageExamples, ...]:
    """The training examples, by stage.

    Args:
        folder: What the sandbox wrote into.
        run: The run.
        bought: What it might read and hear, as it was inside.

    Raises:
        VerificationError: They are not in form, are not of the pool, or go beyond the rules.
    """
    path = f"{FOLDER}/{FILE}"
    table = read_table(read_plain(folder, path), TRAIN_EXAMPLES, path)
    rows = table.to_pylist()
    _refuse(run, list(_wrong_rows(rows, run, bought)))
    train_set = _examples(rows, run, bought)
    _refuse(run, list(_beyond_rules(train_set, run, bought)))
    return train_set


def _refuse(run: Run, wrong: Sequence[str]) -> None:
    if wrong:
        more = f"; and {len(wrong) - 5} more" if len(wrong) > 5 else ""
        raise VerificationError(
            f"The training set composed by {run.strategy.name}: {'; '.join(wrong[:5])}{more}."
        )


def _wrong_rows(rows: Sequence[Mapping[str, Any]], run: Run, bought: Purchase) -> Iterator[str]:
    keys, pool = set(bought.recordings.keys.values()), bought.pool
    known = {(u.language, u.key) for u in (*pool.text(), *pool.speech())}
    for number, row in enumerate(rows, 1):
        lacking = [name for name, value in row.items() if value is None and name != "transcript"]
        if lacking or not row["parts"] or None in row["parts"]:
            yield f"row {number} is incomplete"
        elif not 0 <= row["stage"] < len(run.strategy.stages):
            yield f"row {number} is of stage {row['stage']}, which the strategy does not have"
        elif not 0 <= row["weight"] < float("inf"):
            yield f"row {number} has weight {row['weight']}"
        elif (row["language"], row["utterance"]) not in known:
            yield f"row {number} uses an utterance that is not in the pool"
        elif any(part["clip"] is not None and part["clip"] not in keys for part in row["parts"]):
            yield f"row {number} uses a clip outside the budget"


def _examples(rows: Sequence[Mapping[str, Any]], run: Run, bought: Purchase) -> tuple[StageExamples, ...]:
    clips = {key: clip for clip, key in bought.recordings.keys.items()}
    examples: list[list[Example]] = [[] for _ in run.strategy.stages]
    for row in rows:
        parts = tuple(
            part["text"] or "" if part["clip"] is None else clips[part["clip"]] for part in row["parts"]
        )
        example = Example(parts, row["target"], row["utterance"], row["language"], row["weight"])
        examples[row["stage"]].append(example)
    batch = cell_of(run, bought).batch
    return tuple(
        StageExamples(stage, math.ceil(len(some) / batch), tuple(some))
        for stage, some in zip(run.strategy.stages, examples, strict=True)
    )


def _beyond_rules(train_set: Sequence[StageExamples], run: Run, bought: Purchase) -> Iterator[str]:
    pool, cell = bought.pool, cell_of(run, bought)
    yield from beyond_stages(run.strategy, train_set, pool, cell)
    yield from beyond_updates(train_set, cell)
    yield from beyond_budget(run.strategy, train_set, pool, cell)
    for number, part in enumerate(train_set):
        # The strategy was read and not imported: what its transform gave can't be made again here.
        provenance = Provenance(run.strategy, number, pool, unread=True)
        for example in dict.fromkeys(part.examples):
            try:
                provenance.check(example)
            except SlubenchError as error:
                yield str(error).rstrip(".")


REPORT = "training.json"
MOST = 64 * 2**20
"""Maximum bytes of a training's report."""


def take_adapter(made: Path, folder: Path, run: Run, digests: Digests) -> None:
    """Copy weights and report; the config follows from the recipe, not from what the sandbox wrote.

    Args:
        made: The adapter's folder as the sandbox wrote it.
        folder: Where it goes; made here.
        run: The run.
        digests: Digests of the model's files.

    Raises:
        VerificationError: It is not there, or holds something else than safetensors.
    """
    from safetensors import SafetensorError

    folder.mkdir(parents=True)
    weights = sorted(path for path in made.glob("*.safetensors"))
    if not weights or made.is_symlink():
        raise VerificationError(f"The training of {run.strategy.name} left no weights in safetensors.")
    for path in (*weights, made / REPORT):
        with opened(path, path.name) as file, (folder / path.name).open("wb") as copy:
            shutil.copyfileobj(file, copy)
    report = folder / REPORT
    if report.stat().st_size > MOST:
        raise VerificationError(
            f"The training of {run.strategy.name} produced a report of more than {MOST:,} bytes."
        )
    parse_object(report.read_bytes(), REPORT)
    try:
        for path in weights:
            tensors(folder / path.name)
    except SafetensorError as error:
        raise VerificationError(f"{path.name} of the training is not a safetensors file ({error}).") from None
    dress(folder, run.model, run.track, digests)
