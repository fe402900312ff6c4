"""Trains a run: buys its data, lists its examples, runs the training process, writes the card."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from slubench.domain.ledger import BY_HASH, BY_STRATEGY, Ledger
from slubench.domain.run import Run
from slubench.domain.selection import LAST
from slubench.errors import DataError
from slubench.pipeline.buy import buy_and_hold_out, check_no_leaks
from slubench.pipeline.context import Context
from slubench.pipeline.plan import Planned
from slubench.pipeline.spoken_clips import StageSpeaker
from slubench.pipeline.stage_predictions import StagePredictor
from slubench.pipeline.train_job import write_job, write_pause
from slubench.registry.adapters import Adapter, find_adapter
from slubench.runtime.child_process import run_module
from slubench.runtime.files import read_object, write_text
from slubench.runtime.home import Home
from slubench.runtime.locks import locked
from slubench.runtime.remove_tree import remove_tree
from slubench.trainset.ledger import PoolContents, count, look
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
    predictor = predictor_of(planned, bought, context, looked, start)
    speaker = speaker_of(bought, context)
    train_set, ledger = prepare(run, bought, looked, predictor, speaker)
    bought = dataclasses.replace(bought, recordings=speaker.with_spoken(bought.recordings))
    job = write_job(
        planned,
        train_set,
        ledger,
        bought.recordings,
        home,
        looked,
        asks=predictor.count > 0,
        pool=bought.pool,
        batch_size=context.batch_size,
    )
    if derived := derived_texts(train_set, bought.pool):
        made = Path(job.folder) / "derived.json"
        write_text(made, json.dumps(derived, indent=1, ensure_ascii=False))
        context.say(f"{run.training}: {len(derived)} texts from the strategy's transform, listed in {made}")
    adapter = Path(job.adapter)
    for line in _summary(run, ledger):
        context.say(line)
    if not adapter.is_dir():
        start("slubench.train", Path(job.folder) / "train.json")
    for paused in filter(Path.is_dir, Path(job.folder).glob("before-stage-*")):
        # The replies are kept; the weights that gave them are large, and made again where they are wanted.
        remove_tree(paused)
    return write_card(planned, home, ledger, adapter)


def predictor_of(
    planned: Planned,
    bought: Purchase,
    context: Context,
    watched: ValidationSet | None = None,
    start: Callable[[str, Path], None] | None = None,
) -> StagePredictor:
    """What gives a run's stages their model's replies: those that are kept, and others if it may start.

    Args:
        planned: The run.
        bought: Its purchase.
        context: Where and with what.
        watched: Its validation set.
        start: Runs the training process, as `run_module` does; None where nothing may be trained.
    """
    folder = planned.run_folder(context.home)

    def weights(number: int, before: Sequence[StageExamples]) -> str:
        stage = planned.run.strategy.stages[number]
        if not sum(part.updates for part in before) or stage.start == 0:
            return ""
        assert start is not None
        adapter = folder / f"before-stage-{number + 1}"
        pending = StageExamples(stage, 0, ())
        path = write_pause(
            planned,
            (*before, pending),
            bought.recordings,
            context.home,
            watched,
            adapter,
            bought.pool,
            context.batch_size,
        )
        context.say(f"{planned.run.training}: stage {number + 1} asks the model that the stages before train")
        if not adapter.is_dir():
            start("slubench.train", path)
        return str(adapter)

    may_ask = None if start is None else weights
    return StagePredictor(
        planned.run, folder, bought.recordings, may_ask, run_module, context.say, context.batch_size
    )


def speaker_of(bought: Purchase, context: Context) -> StageSpeaker:
    """What speaks the texts of a run's stages."""
    return StageSpeaker(context.home.spoken, bought.recordings)


def _summary(run: Run, ledger: Ledger) -> Iterator[str]:
    """Lines about the data that a training is going to use."""
    for row in ledger.rejected[:5]:
        yield f"left out: {row}"
    if len(ledger.rejected) > 5:
        yield f"left out: {len(ledger.rejected) - 5} more rows, listed on the card"
    chosen = " as the strategy chose" if ledger.draw == BY_STRATEGY else ""
    heard, minutes = sum(ledger.clip_exposures.values()), sum(ledger.minutes_exposed.values())
    yield (
        f"training {run.training}: {told_updates(ledger)}, {ledger.clips_bought} clips bought"
        f" ({ledger.minutes_bought:.1f} min){chosen}, {heard} clip exposures ({minutes:.1f} min)"
    )
    if ledger.unlabelled_exposures:
        yield (
            f"beyond the budget: {ledger.unlabelled_unique} unlabelled clips, {ledger.unlabelled_exposures}"
            f" exposures ({ledger.unlabelled_minutes:.1f} min)"
        )
    if ledger.spoken_exposures:
        yield (
            f"synthetic speech: {ledger.spoken_unique} clips, {ledger.spoken_exposures} exposures"
            f" ({ledger.spoken_minutes:.1f} min)"
        )
    if ledger.validation_clips or ledger.validation_texts:
        yield (
            f"validation ({run.selects}): {ledger.validation_clips} clips"
            f" ({ledger.validation_minutes:.1f} min), {ledger.validation_texts} transcripts"
        )


def prepare(
    run: Run,
    bought: Purchase,
    watched: ValidationSet | None = None,
    predictor: StagePredictor | None = None,
    speaker: StageSpeaker | None = None,
) -> tuple[tuple[StageExamples, ...], Ledger]:
    """The training examples of a run, and their ledger including the validation set.

    Args:
        run: The run.
        bought: Its purchase.
        watched: Its validation set.
        predictor: Gives the replies of the model that its stages ask for.
        speaker: Speaks the texts that its stages want spoken.
    """
    cell = cell_of(run, bought)
    train_set = compose(run.strategy, bought.pool, cell, run.train_seed, predictor, speaker)
    if speaker is not None:
        bought = dataclasses.replace(bought, recordings=speaker.with_spoken(bought.recordings))
    ledger = tally(run, bought, train_set, watched)
    if predictor is not None and predictor.count:
        ledger = dataclasses.replace(
            ledger, predicted=predictor.count, predicted_unlabelled=predictor.unlabelled
        )
    return train_set, ledger


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
        draw=BY_HASH if bought.chosen is None else BY_STRATEGY,
        chosen={language: list(names) for language, names in (bought.chosen or {}).items()},
    )
    return look(ledger, watched.name, watched.examples, watched.seconds(bought))


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
