"""Retrains a run from its strategy's file in a sandbox, then predicts and scores outside it."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from slubench.domain.run import Run
from slubench.errors import MissingError, SlubenchError, UsageError, VerificationError
from slubench.pipeline.buy import buy, check_no_leaks
from slubench.pipeline.context import Context
from slubench.pipeline.plan import Planned, plan
from slubench.pipeline.run import perform
from slubench.pipeline.train import cell_of, tally, write_card
from slubench.pipeline.train_job import write_job
from slubench.registry.strategy_fingerprint import strategy_fingerprint
from slubench.runtime.child_process import CALM
from slubench.runtime.home import Home
from slubench.runtime.jobs import TrainJob
from slubench.runtime.remove_tree import remove_tree
from slubench.runtime.sandbox import Walls, find_bubblewrap, python_paths, run_sandboxed
from slubench.submission.retrain.compose_process import ComposeJob
from slubench.submission.retrain.left_files import check_left, check_sealed
from slubench.submission.retrain.sandbox_folder import Allowance, SandboxFolder, furnish, out_of_bounds
from slubench.submission.retrain.take_back import FILE, FOLDER, REPORT, read_back, take_adapter
from slubench.trainset.guarded_call import COMPOSE_MINUTES
from slubench.trainset.own_choice import own_draw
from slubench.trainset.purchase import Purchase
from slubench.trainset.train_set import StageExamples, needs_speech

COMPOSED, TRAINED = "composing", "training"
OFFLINE = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"}


def outcome_context(context: Context, folder: Path) -> Context:
    """The context that predicts and scores: a home of its own in `folder`, sharing the decoded clips."""
    home = Home(folder / "outcome")
    home.clips.parent.mkdir(parents=True, exist_ok=True)
    context.home.clips.mkdir(parents=True, exist_ok=True)
    if not home.clips.exists():
        home.clips.symlink_to(context.home.clips.resolve())
    return dataclasses.replace(context, home=home)


def retrain(run: Run, text: str, context: Context, folder: Path, allowed: Allowance | None = None) -> Path:
    """Compose and train a run in the sandbox, then predict and score it outside.

    Args:
        run: The run, its seeds those to be used, its model located; its strategy may have been read without
            being imported.
        text: The strategy's file, which is imported in the sandbox alone.
        context: Whose corpora and decoded clips are used, and which engine.
        folder: Empty; all that is written lies in it. What the strategy's code wrote is removed at the end.
        allowed: What the strategy's code may use.

    Returns:
        The scores.

    Raises:
        MissingError: There is no sandbox here, or no corpus.
        SandboxError: The strategy's code failed, or took too long.
        VerificationError: What came out is not as the rules and formats have it.
    """
    find_bubblewrap()
    if not run.strategy.stages:
        raise UsageError(f"{run.strategy.name} has no training stages, so there is nothing to retrain.")
    if own_draw(run.strategy, run.spends):
        raise UsageError(
            f"{run.strategy.name} chooses its own clips (choose), and the sandbox cannot let it: what it may"
            " choose from is what the sandbox hides. Such a strategy cannot be retrained yet."
        )
    outcome = outcome_context(context, folder)
    room = SandboxFolder((folder / "room").resolve(), allowed or Allowance())
    planned = plan(run, outcome)
    check_no_leaks(planned)
    try:
        _retrain(planned, text, context, outcome, room)
    finally:
        remove_tree(room.folder)
    try:
        (made,) = perform([run], outcome)
    except MissingError:
        raise
    except SlubenchError as error:
        raise VerificationError(f"The adapter that was trained again can't be scored: {error}") from error
    return made.scores


def _retrain(planned: Planned, text: str, context: Context, outcome: Context, room: SandboxFolder) -> None:
    run = planned.run
    inside = furnish(room, text, buy_speech(planned, outcome), run.task.corpus.audio)
    hidden = out_of_bounds(planned, context.home)
    behind = dataclasses.replace(
        planned, run=dataclasses.replace(planned.run, strategy_origin=str(room.strategy))
    )
    context.say(f"composing {run.training} in the sandbox, which may use {room.allowed}")
    train_set = compose_inside(behind.run, inside, room, hidden)
    ledger = tally(behind.run, inside, train_set)
    context.say(f"training {run.training} in the sandbox: {sum(ledger.updates)} updates")
    job = write_job(behind, train_set, ledger, inside.recordings, room.home, pool=inside.pool)
    _train(behind.run, job, room, hidden)
    adapter = outcome.home.adapters / Path(job.adapter).name
    take_adapter(Path(job.adapter), adapter, behind.run, context.digests)
    write_card(behind, outcome.home, ledger, adapter)


def buy_speech(planned: Planned, context: Context) -> Purchase:
    """What the run's budget buys, outside.

    Raises:
        UsageError: The strategy needs speech and the budget buys none.
    """
    bought, run = buy(planned, context), planned.run
    if run.strategy.needs_speech and not bought.pool.speech():
        raise needs_speech(run.strategy, run.spends)
    return bought


def compose_inside(
    run: Run, inside: Purchase, room: SandboxFolder, hidden: Sequence[Path]
) -> tuple[StageExamples, ...]:
    """Compose in the sandbox, and read the examples back.

    Raises:
        SandboxError: The strategy's code failed, or took too long.
        VerificationError: The examples are not as the rules have them.
    """
    composed = room.folder / "composed"
    train_set = composed / FOLDER / FILE
    train_set.parent.mkdir(parents=True)
    batch = cell_of(run, inside).batch
    job = ComposeJob(
        strategy=str(room.strategy),
        purchase=str(room.purchase),
        batch=batch,
        train_seed=run.train_seed,
        examples=str(train_set),
        declared=strategy_fingerprint(run.strategy),
    )
    job.save(room.given / "compose.json")
    walls = Walls((*python_paths(), room.given), (composed,), tuple(hidden))
    module, room = "slubench.submission.retrain.compose_process", room.to_compose()
    sealed = _run(module, room.given / "compose.json", walls, room, room.allowed.composing)
    check_left(composed, [train_set], room.allowed.limits, COMPOSED)
    check_sealed(sealed, [train_set], COMPOSED)
    return read_back(composed, run, inside)


def _train(run: Run, made: TrainJob, room: SandboxFolder, hidden: Sequence[Path]) -> None:
    """Train; the strategy's file is there only where a stage has a loss of its own, which it holds."""
    own = [room.strategy] if any(stage.objective for stage in run.strategy.stages) else []
    walls = Walls((*python_paths(), *_weights(run), *own), (room.made,), tuple(hidden))
    job = Path(made.folder) / "train.json"
    sealed = _run("slubench.train", job, walls, room, room.allowed.training)
    adapter = Path(made.adapter)
    check_left(room.made, [job.parent, adapter, Path(made.clips)], room.allowed.limits, TRAINED)
    check_sealed(sealed, [*adapter.glob("*.safetensors"), adapter / REPORT], TRAINED)


def _run(module: str, job: Path, walls: Walls, room: SandboxFolder, seconds: float) -> Mapping[str, str]:
    """Run a module of ours in the sandbox; what it told to be finished, with digests."""
    command = [sys.executable, "-P", "-m", module, str(job)]
    # The sandbox's own limit is the one that counts.
    minutes = {COMPOSE_MINUTES: str(2 * room.allowed.composing / 60)}
    package = {"PYTHONPATH": str(Path(__file__).resolve().parents[3])}
    environment = {**CALM, **OFFLINE, **minutes, **package}
    log = room.logs / f"{module}.log"
    return run_sandboxed(command, walls, log, environment, seconds, room.allowed.limits)


def _weights(run: Run) -> list[Path]:
    """The model's folder, and where its links lead (the Hub's cache keeps files apart from their names)."""
    folder = Path(run.model.repository)
    return [folder, *sorted({path.resolve().parent for path in folder.iterdir() if path.is_symlink()})]
