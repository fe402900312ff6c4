"""Writes the input of the training process: the job, and its examples in order."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path

from slubench.data.recordings import Recordings
from slubench.domain.ledger import Ledger
from slubench.domain.pool import Pool
from slubench.domain.prompt import ClipRef, to_rows
from slubench.domain.selection import LAST, SELECTIONS
from slubench.domain.strategy import Example
from slubench.domain.utterance import Clip
from slubench.pipeline.plan import Planned
from slubench.registry.adapters import stem
from slubench.runtime.files import replacing, write_text
from slubench.runtime.home import Home
from slubench.runtime.jobs import StageJob, TrainJob
from slubench.schemas import TRAIN_EXAMPLES
from slubench.trainset.exposure import StageExamples
from slubench.trainset.ledger import consumption
from slubench.trainset.validation import ValidationSet


def write_job(
    planned: Planned,
    train_set: Sequence[StageExamples],
    ledger: Ledger,
    recordings: Recordings,
    home: Home,
    watched: ValidationSet | None = None,
    asks: bool = False,
    pool: Pool | None = None,
    batch_size: int = 0,
) -> TrainJob:
    """Write the input of the training process into the run's folder, `train.json` last.

    Args:
        planned: The run.
        train_set: All of its stages.
        ledger: What they consume.
        recordings: Decoded clips.
        home: Where the folder is.
        watched: The validation set.
        asks: Whether stages asked the model, so that their predecessors are trained already.
        pool: Tells what recordings say.
        batch_size: Most examples on the device at once; 0 for as many as fit.
    """
    watched = watched or ValidationSet(LAST)
    folder = planned.run_folder(home)
    write_examples(folder / "lessons.parquet", [part.examples for part in train_set], recordings, pool)
    write_text(folder / "ledger.json", json.dumps(ledger.to_json(), indent=1, ensure_ascii=False))
    consumed = consumption(train_set, watched.examples).to_json()
    write_text(folder / "consumed.json", json.dumps(consumed, ensure_ascii=False))
    job = _job(planned, train_set, recordings, home, watched)
    job = dataclasses.replace(job, asks=asks, batch_size=batch_size)
    job.save(folder / "train.json")
    return job


def write_pause(
    planned: Planned,
    train_set: Sequence[StageExamples],
    recordings: Recordings,
    home: Home,
    watched: ValidationSet | None,
    adapter: Path,
    pool: Pool | None = None,
    batch_size: int = 0,
) -> Path:
    """Write the input of a training that ends where its last stage begins; gives the job's file.

    Args:
        planned: The run.
        train_set: The stages before, and the one that begins, without examples.
        recordings: Decoded clips.
        home: Where the run's folder is.
        watched: The validation set.
        adapter: Where the weights go.
        pool: Tells what recordings say.
        batch_size: Most examples on the device at once; 0 for as many as fit.
    """
    name = adapter.name
    folder = planned.run_folder(home)
    examples = folder / f"{name}.parquet"
    write_examples(examples, [part.examples for part in train_set], recordings, pool)
    job = _job(planned, train_set, recordings, home, watched or ValidationSet(LAST))
    job = dataclasses.replace(
        job,
        examples=str(examples),
        adapter=str(adapter),
        asks=True,
        pauses=True,
        batch_size=batch_size,
    )
    path = folder / f"{name}.json"
    job.save(path)
    return path


def _job(
    planned: Planned,
    train_set: Sequence[StageExamples],
    recordings: Recordings,
    home: Home,
    watched: ValidationSet,
) -> TrainJob:
    run, folder = planned.run, planned.run_folder(home)
    if watched.examples:
        write_examples(folder / "watched.parquet", [watched.examples], watched.recordings or recordings)
    return TrainJob(
        name=run.training,
        model=run.model,
        track=run.track,
        seed=run.train_seed,
        stages=tuple(
            StageJob(
                updates=part.updates,
                rate=run.model.recipe(run.track).rate * part.stage.rate,
                objective=part.stage.objective is not None,
                trains=part.stage.trains,
                start=part.stage.start,
                average=part.stage.average,
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
    )


def write_examples(
    path: Path, stages: Sequence[Sequence[Example]], recordings: Recordings, pool: Pool | None = None
) -> None:
    """Write the examples of each stage as Parquet, see `slubench.schemas.TRAIN_EXAMPLES`.

    Args:
        path: The file.
        stages: The examples of each stage in order.
        recordings: Decoded clips.
        pool: Tells what recordings say; without it that is left open.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    words = {} if pool is None else {(u.language, u.key): u.text for u in (*pool.text(), *pool.speech())}
    rows = []
    for stage, examples in enumerate(stages):
        for position, example in enumerate(examples):
            clips = [part for part in example.parts if isinstance(part, Clip)]
            modality = "speech" if len(clips) == len(example.parts) else "both" if clips else "text"
            parts = [ClipRef(recordings.key(p)) if isinstance(p, Clip) else p for p in example.parts]
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
                    "transcript": words.get((example.language, example.utterance)) if clips else None,
                }
            )
    with replacing(path) as temporary:
        pq.write_table(pa.Table.from_pylist(rows, schema=TRAIN_EXAMPLES), temporary)
