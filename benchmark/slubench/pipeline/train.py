"""Trains a run: buys its data, lists its examples, runs the training process, writes the card."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from slubench.data.recordings import Recordings
from slubench.domain.ledger import Ledger
from slubench.domain.prompt import ClipRef, to_rows
from slubench.domain.run import Run
from slubench.domain.selection import LAST, SELECTIONS
from slubench.domain.strategy import Example
from slubench.domain.utterance import Clip
from slubench.errors import DataError
from slubench.pipeline.buy import buy_and_hold_out, check_no_leaks
from slubench.pipeline.context import Context
from slubench.pipeline.plan import Planned
from slubench.registry.adapters import Adapter, find_adapter, stem
from slubench.runtime.child_process import run_module
from slubench.runtime.files import read_object, replacing, write_text
from slubench.runtime.home import Home
from slubench.runtime.jobs import StageJob, TrainJob
from slubench.runtime.locks import locked
from slubench.schemas import TRAIN_EXAMPLES
from slubench.trainset.ledger import PoolContents, consumption, count, look
from slubench.trainset.provenance import derived_texts
from slubench.trainset.purchase import Purchase
from slubench.trainset.train_set import Exposure, StageExamples, compose
from slubench.trainset.validation import ValidationSet


def train(planned: Planned, context: Context, start: Callable[[str, Path], None] = run_module) -> Adapter:
    """Train a run's adapter, or find it; an interrupted training resumes from its last checkpoint.

    Args:
        planned: The run.
        context: Where and with what.
        start: Runs the training process, as `run_module` does.

    Raises:
        SlubenchError: Ids of the test are in what is learnt.
        UsageError: The strategy needs speech and the budget buys none.
        BudgetError: The strategy asked for more than the budget allows.
        ProcessError: The training process failed.
    """
    run, home = planned.run, context.home
    lock = home.locks / f"training-{planned.trained[:16]}"
    with locked(lock, f"training {run.training}", context.say):
        trained = find_adapter(home, planned.trained)
        if trained is not None:
            context.say(f"{run.name}: already trained ({trained.stem})")
            return trained
        return _train(planned, context, start)


def _train(planned: Planned, context: Context, start: Callable[[str, Path], None]) -> Adapter:
    run, home = planned.run, context.home
    check_no_leaks(planned)
    if not run.strategy.stages:
        return write_card(planned, home, Ledger(), None)
    bought, looked = buy_and_hold_out(planned, context)
    train_set, ledger = prepare(run, bought, looked)
    job = write_job(planned, train_set, ledger, bought.recordings, home, looked, context.batch_size)
    if derived := derived_texts(train_set, bought.pool):
        made = Path(job.folder) / "derived.json"
        write_text(made, json.dumps(derived, indent=1, ensure_ascii=False))
        context.say(f"{run.training}: {len(derived)} texts from the strategy's transform, listed in {made}")
    adapter = Path(job.adapter)
    for line in _summary(run, ledger):
        context.say(line)
    if not adapter.is_dir():
        start("slubench.train", Path(job.folder) / "train.json")
    return write_card(planned, home, ledger, adapter)


def _summary(run: Run, ledger: Ledger) -> Iterator[str]:
    """Lines about the data that a training is going to use."""
    for row in ledger.rejected[:5]:
        yield f"left out: {row}"
    if len(ledger.rejected) > 5:
        yield f"left out: {len(ledger.rejected) - 5} more rows, listed on the card"
    heard, minutes = sum(ledger.clip_exposures.values()), sum(ledger.minutes_exposed.values())
    yield (
        f"training {run.training}: {told_updates(ledger)}, {ledger.clips_bought} clips bought"
        f" ({ledger.minutes_bought:.1f} min), {heard} clip exposures ({minutes:.1f} min)"
    )
    if ledger.validation_clips or ledger.validation_texts:
        yield (
            f"validation ({run.selects}): {ledger.validation_clips} clips"
            f" ({ledger.validation_minutes:.1f} min), {ledger.validation_texts} transcripts"
        )


def write_job(
    planned: Planned,
    train_set: Sequence[StageExamples],
    ledger: Ledger,
    recordings: Recordings,
    home: Home,
    watched: ValidationSet | None = None,
    batch_size: int = 0,
) -> TrainJob:
    """Write the input of the training process into the run's folder, `train.json` last."""
    run, watched = planned.run, watched or ValidationSet(LAST)
    folder = home.runs / stem(run.training, planned.trained)
    write_examples(folder / "lessons.parquet", [part.examples for part in train_set], recordings)
    if watched.examples:
        write_examples(folder / "watched.parquet", [watched.examples], watched.recordings or recordings)
    write_text(folder / "ledger.json", json.dumps(ledger.to_json(), indent=1, ensure_ascii=False))
    consumed = consumption(train_set, watched.examples).to_json()
    write_text(folder / "consumed.json", json.dumps(consumed, ensure_ascii=False))
    job = TrainJob(
        name=run.training,
        model=run.model,
        track=run.track,
        seed=run.train_seed,
        stages=tuple(
            StageJob(
                updates=part.updates,
                rate=run.model.recipe(run.track).rate * part.stage.rate,
                objective=part.stage.objective is not None,
            )
            for part in train_set
        ),
        examples=str(folder / "lessons.parquet"),
        clips=str(recordings.store.folder),
        folder=str(folder),
        adapter=str(home.adapters / stem(run.training, planned.trained)),
        # A file may lie anywhere; what a plugin or a shelf declares is found by its name.
        strategy=run.strategy_origin if Path(run.strategy_origin).is_file() else run.strategy.name,
        home=str(home.root),
        watched=str(folder / "watched.parquet") if watched.examples else "",
        keeps_best=SELECTIONS[run.selects].oracle,
        batch_size=batch_size,
    )
    job.save(folder / "train.json")
    return job


def prepare(
    run: Run, bought: Purchase, watched: ValidationSet | None = None
) -> tuple[tuple[StageExamples, ...], Ledger]:
    """The training examples of a run, and their ledger including the validation set."""
    train_set = compose(run.strategy, bought.pool, cell_of(run, bought), run.train_seed)
    return train_set, tally(run, bought, train_set, watched)


def told_updates(ledger: Ledger) -> str:
    """The number of updates, and that of the cell if the strategy uses fewer."""
    used = sum(ledger.updates)
    return f"{used} updates" if used >= ledger.cell_updates else f"{used} of {ledger.cell_updates} updates"


def cell_of(run: Run, bought: Purchase) -> Exposure:
    """The updates and clip exposures that a run may use."""
    return bought.exposure(run.model.recipe(run.track).batch)


def tally(
    run: Run, bought: Purchase, train_set: Sequence[StageExamples], watched: ValidationSet | None = None
) -> Ledger:
    """The ledger of training examples and a validation set."""
    decoded = bought.recordings.keys
    given = PoolContents(
        there=bought.spoken,
        bought=[clip for clip in bought.bought if clip in decoded],
        target=run.spends.target,
        target_clips=[clip for clip in bought.target if clip in decoded],
        synthetic=bought.synthetic,
    )
    watched = watched or ValidationSet(LAST)
    ledger = dataclasses.replace(
        count(train_set, given, bought.recordings.seconds, (*bought.rejected, *watched.rejected)),
        cell_updates=cell_of(run, bought).updates,
        texts_derived=len(derived_texts(train_set, bought.pool)),
    )
    return look(ledger, watched.name, watched.examples, watched.seconds(bought))


def write_examples(path: Path, stages: Sequence[Sequence[Example]], recordings: Recordings) -> None:
    """Write the examples of each stage as Parquet, see `slubench.schemas.TRAIN_EXAMPLES`."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = []
    for stage, examples in enumerate(stages):
        for position, example in enumerate(examples):
            clips = [part for part in example.parts if isinstance(part, Clip)]
            modality = "speech" if len(clips) == len(example.parts) else "both" if clips else "text"
            parts = [ClipRef(recordings.keys[p]) if isinstance(p, Clip) else p for p in example.parts]
            rows.append(
                {
                    "stage": stage,
                    "position": position,
                    "utterance": example.utterance,
                    "language": example.language,
                    "modality": modality,
                    "parts": to_rows(parts),
                    "target": example.target,
                    "weight": example.weight,
                }
            )
    with replacing(path) as temporary:
        pq.write_table(pa.Table.from_pylist(rows, schema=TRAIN_EXAMPLES), temporary)


def write_card(planned: Planned, home: Home, ledger: Ledger, folder: Path | None) -> Adapter:
    """Write the card of an adapter with weights in `folder` (None if nothing was trained)."""
    adapter = card_of(planned, ledger, folder)
    adapter.save(home)
    return adapter


def _measured(folder: Path) -> dict[str, Any]:
    path = folder / "training.json"
    try:
        return read_object(path)
    except (OSError, DataError):
        raise DataError(
            f"{path}: not the report of a finished training. Delete {folder}; the same command trains it"
            " again."
        ) from None


def card_of(planned: Planned, ledger: Ledger, folder: Path | None = None) -> Adapter:
    """The card of a run's adapter.

    Args:
        planned: The run.
        ledger: What it consumed.
        folder: Its weights; None where there are none, or none are described.
    """
    run = planned.run
    measured = _measured(folder) if folder else {}
    origin = Path(run.strategy_origin)
    corpora = dict.fromkeys(shards.corpus.licence for shards in planned.pools) or [run.task.corpus.licence]
    licences = [part for part in (*corpora, run.model.licence) if part]
    return Adapter(
        name=run.training,
        fingerprint=planned.trained,
        base=run.model.name,
        weights=run.weights,
        track=run.track,
        strategy=run.strategy.name,
        strategy_digest=hashlib.sha256(origin.read_bytes()).hexdigest() if origin.is_file() else "",
        corpus=run.task.corpus.name,
        pools={str(shards): shards.revision for shards in planned.pools},
        budget=str(run.spends),
        data_seed=run.data_seed,
        train_seed=run.train_seed,
        edition=run.edition,
        ruleset=run.rules,
        recipe=dataclasses.asdict(run.model.recipe(run.track)),
        ledger=ledger,
        training=measured,
        licence="; ".join(licences),
        sha256={
            file.name: hashlib.sha256(file.read_bytes()).hexdigest()
            for file in sorted(folder.glob("*.safetensors"))
        }
        if folder
        else {},
    )
