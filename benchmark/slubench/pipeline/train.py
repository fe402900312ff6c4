"""Trains a run: buys its pool, lists its lessons, hands them to the training process, writes the card."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from slubench.data.clips import ClipStore
from slubench.data.recordings import Progress, Recordings, no_progress
from slubench.data.source import SplitFiles
from slubench.domain.ledger import Ledger
from slubench.domain.prompt import ClipRef, to_rows
from slubench.domain.run import Run
from slubench.domain.selection import LAST, SELECTIONS
from slubench.domain.strategy import Example
from slubench.domain.utterance import Clip
from slubench.errors import DataError
from slubench.registry.adapters import Adapter, stem
from slubench.runtime.files import replacing, write_text
from slubench.runtime.home import Home
from slubench.runtime.jobs import StageJob, TrainJob
from slubench.runtime.process import run_module
from slubench.schemas import TRAIN_EXAMPLES
from slubench.trainset.ledger import PoolContents, consumption, count, look
from slubench.trainset.purchase import Purchase, purchase
from slubench.trainset.train_set import Exposure, StageExamples, compose
from slubench.trainset.validation import ValidationSet, watch_run


def train(
    run: Run,
    pools: Sequence[SplitFiles],
    watched: Sequence[SplitFiles],
    fingerprint: str,
    store: ClipStore,
    home: Home,
    say: Callable[[str], None],
    watch: Progress = no_progress,
    start: Callable[[str, Path], None] = run_module,
) -> Adapter:
    """Turn a run into an adapter; a training that was begun goes on from its last checkpoint.

    Args:
        run: What is trained.
        pools: The shards it learns from.
        watched: The shards of the validation split that it looks at.
        fingerprint: The training's fingerprint.
        store: Where decoded clips are kept.
        home: Where run and adapter are written.
        say: Told each step in a line.
        watch: Opens a progress bar for the decoding.
        start: Runs the training process, as `run_module` does.

    Raises:
        UsageError: The strategy needs speech and the budget buys none.
        BudgetError: The strategy asked for more than the budget allows.
        ProcessError: The training process failed.
    """
    if not run.strategy.stages:
        return write_card(run, pools, fingerprint, home, Ledger(), None)
    uses_speech = run.strategy.needs_speech
    bought = purchase(run.task, tuple(pools), run.spends, run.data_seed, store, watch, uses_speech)
    bought, looked = watch_run(run, bought, watched, store, watch)
    lessons, ledger = prepare(run, bought, looked)
    for row in ledger.rejected[:5]:
        say(f"left out: {row}")
    if len(ledger.rejected) > 5:
        say(f"left out: {len(ledger.rejected) - 5} rows more, listed on the card")
    job = write_job(run, fingerprint, lessons, ledger, bought.recordings, home, looked)
    adapter = Path(job.adapter)
    if not adapter.is_dir():
        heard, minutes = sum(ledger.clips_heard.values()), sum(ledger.minutes_heard.values())
        say(
            f"{run.training}: {sum(ledger.updates)} updates, {ledger.clips_bought} clips bought"
            f" ({ledger.minutes_bought:.1f} min), {heard} heard ({minutes:.1f} min)"
        )
        if looked.examples:
            say(
                f"{run.training}: {run.selects} looks at {ledger.clips_watched} clips"
                f" ({ledger.minutes_watched:.1f} min) and {ledger.text_watched} transcripts"
            )
        start("slubench.train", Path(job.folder) / "train.json")
    return write_card(run, pools, fingerprint, home, ledger, adapter)


def write_job(
    run: Run,
    fingerprint: str,
    lessons: Sequence[StageExamples],
    ledger: Ledger,
    recordings: Recordings,
    home: Home,
    watched: ValidationSet | None = None,
) -> TrainJob:
    """Write all that the training process reads, `train.json` last, into the run's folder."""
    watched = watched or ValidationSet(LAST)
    folder = home.runs / stem(run.training, fingerprint)
    write_lessons(folder / "lessons.parquet", [lesson.examples for lesson in lessons], recordings)
    if watched.examples:
        write_lessons(folder / "watched.parquet", [watched.examples], watched.recordings or recordings)
    write_text(folder / "ledger.json", json.dumps(ledger.to_json(), indent=1, ensure_ascii=False))
    consumed = consumption(lessons, watched.examples).to_json()
    write_text(folder / "consumed.json", json.dumps(consumed, ensure_ascii=False))
    job = TrainJob(
        name=run.training,
        model=run.model,
        track=run.track,
        seed=run.train_seed,
        stages=tuple(
            StageJob(
                updates=lesson.updates,
                rate=run.model.recipe(run.track).rate * lesson.stage.rate,
                objective=lesson.stage.objective is not None,
            )
            for lesson in lessons
        ),
        lessons=str(folder / "lessons.parquet"),
        clips=str(recordings.store.folder),
        folder=str(folder),
        adapter=str(home.adapters / stem(run.training, fingerprint)),
        # A file may lie anywhere; what a plugin or a shelf declares is found by its name.
        strategy=run.strategy_origin if Path(run.strategy_origin).is_file() else run.strategy.name,
        home=str(home.root),
        watched=str(folder / "watched.parquet") if watched.examples else "",
        keeps_best=SELECTIONS[run.selects].oracle,
    )
    job.save(folder / "train.json")
    return job


def prepare(
    run: Run, bought: Purchase, watched: ValidationSet | None = None
) -> tuple[tuple[StageExamples, ...], Ledger]:
    """The lessons of a run and the ledger that they make, and what is looked at."""
    lessons = compose(run.strategy, bought.pool, cell_of(run, bought), run.train_seed)
    return lessons, tally(run, bought, lessons, watched)


def cell_of(run: Run, bought: Purchase) -> Exposure:
    """How much a run may train and hear."""
    return bought.exposure(run.model.recipe(run.track).batch)


def tally(
    run: Run, bought: Purchase, lessons: Sequence[StageExamples], watched: ValidationSet | None = None
) -> Ledger:
    """The ledger that lessons make, and what is looked at."""
    decoded = bought.recordings.keys
    given = PoolContents(
        there=bought.spoken,
        bought=[clip for clip in bought.bought if clip in decoded],
        target=run.spends.target,
        target_clips=[clip for clip in bought.target if clip in decoded],
        synthetic=bought.synthetic,
    )
    watched = watched or ValidationSet(LAST)
    ledger = count(lessons, given, bought.recordings.seconds, (*bought.rejected, *watched.rejected))
    return look(ledger, watched.name, watched.examples, watched.seconds(bought))


def write_lessons(path: Path, stages: Sequence[Sequence[Example]], recordings: Recordings) -> None:
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


def write_card(
    run: Run,
    pools: Sequence[SplitFiles],
    fingerprint: str,
    home: Home,
    ledger: Ledger,
    folder: Path | None,
) -> Adapter:
    """Write the card of what was trained into `folder`; None where nothing was."""
    adapter = card_of(run, pools, fingerprint, ledger, folder)
    adapter.save(home)
    return adapter


def _measured(folder: Path) -> dict[str, Any]:
    path = folder / "training.json"
    try:
        measured = json.loads(path.read_text("utf-8"))
        if isinstance(measured, dict):
            return measured
    except (OSError, ValueError):
        pass
    raise DataError(
        f"{path}: not the report of a finished training. Delete {folder}; the same command trains it again."
    )


def card_of(
    run: Run, pools: Sequence[SplitFiles], fingerprint: str, ledger: Ledger, folder: Path | None = None
) -> Adapter:
    """The card of what a run trained.

    Args:
        run: The run.
        pools: What it learnt from.
        fingerprint: The training's fingerprint.
        ledger: What it consumed.
        folder: Its weights; None where there are none, or none are told of.
    """
    measured = _measured(folder) if folder else {}
    origin = Path(run.strategy_origin)
    corpora = dict.fromkeys(shards.corpus.licence for shards in pools) or [run.task.corpus.licence]
    licences = [part for part in (*corpora, run.model.licence) if part]
    return Adapter(
        name=run.training,
        fingerprint=fingerprint,
        base=run.model.name,
        weights=run.weights,
        track=run.track,
        strategy=run.strategy.name,
        strategy_digest=hashlib.sha256(origin.read_bytes()).hexdigest() if origin.is_file() else "",
        corpus=run.task.corpus.name,
        pools={str(shards): shards.revision for shards in pools},
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
