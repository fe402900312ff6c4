"""Retrains a run from its strategy's file in a sandbox, then predicts and scores outside it."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path

from slubench.domain.run import Run
from slubench.errors import UsageError
from slubench.pipeline.buy import buy, check_no_leaks
from slubench.pipeline.context import Context
from slubench.pipeline.plan import Planned, plan
from slubench.pipeline.run import perform
from slubench.pipeline.train import cell_of, tally, write_card, write_job
from slubench.registry.strategy_fingerprint import strategy_fingerprint
from slubench.runtime.child_process import CALM
from slubench.runtime.home import Home
from slubench.runtime.sandbox import Walls, find_bubblewrap, python_paths, run_sandboxed
from slubench.submission.retrain.compose_process import ComposeJob
from slubench.submission.retrain.sandbox_folder import SandboxFolder, furnish, out_of_bounds
from slubench.submission.retrain.take_back import FILE, FOLDER, read_back, take_adapter
from slubench.trainset.purchase import Purchase
from slubench.trainset.train_set import StageExamples, needs_speech

COMPOSING = 3_600.0
"""Time limit for composing, in seconds."""
OFFLINE = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"}


def outcome_context(context: Context, folder: Path) -> Context:
    """The context that predicts and scores: a home of its own in `folder`, sharing the decoded clips."""
    home = Home(folder / "outcome")
    home.clips.parent.mkdir(parents=True, exist_ok=True)
    context.home.clips.mkdir(parents=True, exist_ok=True)
    if not home.clips.exists():
        home.clips.symlink_to(context.home.clips.resolve())
    return dataclasses.replace(context, home=home)


def retrain(run: Run, text: str, context: Context, folder: Path) -> Path:
    """Compose and train a run in the sandbox, then predict and score it outside.

    Args:
        run: The run, its seeds those to be used, its model located; its strategy may have been read without
            being imported.
        text: The strategy's file, which is imported in the sandbox alone.
        context: Whose corpora and decoded clips are used, and which engine.
        folder: Empty; all that is written lies in it.

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
    outcome, room = outcome_context(context, folder), SandboxFolder((folder / "room").resolve())
    planned = plan(run, outcome)
    check_no_leaks(planned)
    inside = furnish(room, text, buy_speech(planned, outcome), run.task.corpus.audio)
    hidden = out_of_bounds(planned, context.home)
    behind = dataclasses.replace(
        planned, run=dataclasses.replace(planned.run, strategy_origin=str(room.strategy))
    )
    context.say(f"composing {run.training} in the sandbox")
    lessons = compose_inside(behind.run, inside, room, hidden)
    ledger = tally(behind.run, inside, lessons)
    context.say(f"training {run.training} in the sandbox: {sum(ledger.updates)} updates")
    job = write_job(behind, lessons, ledger, inside.recordings, room.home)
    _train(behind.run, Path(job.folder) / "train.json", room, hidden)
    adapter = outcome.home.adapters / Path(job.adapter).name
    take_adapter(Path(job.adapter), adapter, behind.run, context.digests)
    write_card(behind, outcome.home, ledger, adapter)
    (made,) = perform([run], outcome)
    return made.scores


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
    lessons = composed / FOLDER / FILE
    lessons.parent.mkdir(parents=True)
    batch = cell_of(run, inside).batch
    job = ComposeJob(
        strategy=str(room.strategy),
        purchase=str(room.purchase),
        batch=batch,
        train_seed=run.train_seed,
        lessons=str(lessons),
        declared=strategy_fingerprint(run.strategy),
    )
    job.save(room.given / "compose.json")
    walls = Walls((*python_paths(), room.given), (composed,), tuple(hidden))
    module = "slubench.submission.retrain.compose_process"
    _run(module, room.given / "compose.json", walls, room, COMPOSING)
    return read_back(composed, run, inside)


def _train(run: Run, job: Path, room: SandboxFolder, hidden: Sequence[Path]) -> None:
    """Train; the strategy's file is there only where a stage has a loss of its own, which it holds."""
    own = [room.strategy] if any(stage.objective for stage in run.strategy.stages) else []
    walls = Walls((*python_paths(), *_weights(run), *own), (room.made,), tuple(hidden))
    _run("slubench.train", job, walls, room)


def _run(module: str, job: Path, walls: Walls, room: SandboxFolder, seconds: float | None = None) -> None:
    command = [sys.executable, "-P", "-m", module, str(job)]
    environment = {**CALM, **OFFLINE, "PYTHONPATH": str(Path(__file__).resolve().parents[3])}
    run_sandboxed(command, walls, room.logs / f"{module}.log", environment, seconds)


def _weights(run: Run) -> list[Path]:
    """The model's folder, and where its links lead (the Hub's cache keeps files apart from their names)."""
    folder = Path(run.model.repository)
    return [folder, *sorted({path.resolve().parent for path in folder.iterdir() if path.is_symlink()})]
