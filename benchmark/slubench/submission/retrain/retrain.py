"""Trains a run again from its strategy's file, behind walls, and asks and scores what came of it."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from slubench.data.recordings import Progress, no_progress
from slubench.data.source import Source
from slubench.domain.run import Run
from slubench.errors import UsageError
from slubench.pipeline.context import Machine
from slubench.pipeline.plan import Planned, _no_leaks, plan
from slubench.pipeline.run import perform
from slubench.pipeline.train import cell_of, tally, write_card, write_job
from slubench.runtime.home import Home
from slubench.runtime.process import CALM
from slubench.runtime.sandbox import Walls, find_bubblewrap, python_paths, run_sandboxed
from slubench.submission.retrain.compose_process import ComposeJob
from slubench.submission.retrain.sandbox_folder import SandboxFolder, furnish, out_of_bounds
from slubench.submission.retrain.take_back import FILE, FOLDER, read_back, take_adapter
from slubench.trainset.purchase import Purchase, purchase
from slubench.trainset.train_set import StageExamples, needs_speech

COMPOSING = 3_600.0
"""Seconds that composing may take."""
OFFLINE = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"}


@dataclass(frozen=True)
class Retraining:
    """Where a run is trained again.

    Attributes:
        folder: Empty; all that is written lies in it.
        home: Whose decoded clips are used.
        source: Where the corpus is.
        engine: What answers.
        say: Told each step in a line.
        watch: Opens a progress bar while clips are decoded.
    """

    folder: Path
    home: Home
    source: Source
    engine: str
    say: Callable[[str], None] = lambda line: None
    watch: Progress = no_progress

    @property
    def machine(self) -> Machine:
        """What asks and scores, in a home of its own that shares the decoded clips."""
        home = Home(self.folder / "outcome")
        home.clips.parent.mkdir(parents=True, exist_ok=True)
        self.home.clips.mkdir(parents=True, exist_ok=True)
        if not home.clips.exists():
            home.clips.symlink_to(self.home.clips.resolve())
        return Machine(home, self.source, self.engine, say=self.say, watch=self.watch)

    @property
    def room(self) -> SandboxFolder:
        """What becomes the inside of the sandbox."""
        return SandboxFolder((self.folder / "room").resolve())


def retrain(run: Run, text: str, retraining: Retraining) -> Path:
    """Compose and train a run behind walls, then ask and score it.

    Args:
        run: The run, its seeds those to be used, its model located; its strategy may have been read without
            being imported.
        text: The strategy's file, which is imported in the sandbox alone.
        retraining: Where.

    Returns:
        The scores.

    Raises:
        MissingError: There is no sandbox here, or no corpus.
        SandboxError: The strategy's code failed, or took too long.
        VerificationError: What came out is not as the rules and formats have it.
    """
    find_bubblewrap()
    if not run.strategy.stages:
        raise UsageError(f"{run.strategy.name} learns nothing, so there is nothing to train again.")
    machine, room = retraining.machine, retraining.room
    planned = plan(run, machine)
    _no_leaks(planned)
    bought = buy(planned, machine)
    inside = furnish(room, text, bought, run.task.corpus.audio)
    hidden = out_of_bounds(planned, retraining.home)
    behind = dataclasses.replace(planned.run, strategy_origin=str(room.strategy))
    retraining.say(f"{run.training}: composing behind walls")
    lessons = compose_inside(behind, inside, retraining, hidden)
    ledger = tally(behind, inside, lessons)
    retraining.say(f"{run.training}: training behind walls, {sum(ledger.updates)} updates")
    job = write_job(behind, planned.trained, lessons, ledger, inside.recordings, room.home)
    _train(behind, Path(job.folder) / "train.json", retraining, hidden)
    adapter = machine.home.adapters / Path(job.adapter).name
    take_adapter(Path(job.adapter), adapter, behind, retraining.source.digests)
    write_card(behind, planned.pools, planned.trained, machine.home, ledger, adapter)
    (outcome,) = perform([run], machine)
    return outcome.scores


def buy(planned: Planned, machine: Machine) -> Purchase:
    """What the run's budget buys, outside.

    Raises:
        UsageError: The strategy needs speech and the budget buys none.
    """
    run = planned.run
    uses_speech, store = run.strategy.needs_speech, machine.clips(planned.run)
    bought = purchase(run.task, planned.pools, run.spends, run.data_seed, store, machine.watch, uses_speech)
    if uses_speech and not bought.pool.speech():
        raise needs_speech(run.strategy, run.spends)
    return bought


def compose_inside(
    run: Run, inside: Purchase, retraining: Retraining, hidden: Sequence[Path]
) -> tuple[StageExamples, ...]:
    """Compose in the sandbox, and read the lessons back.

    Raises:
        SandboxError: The strategy's code failed, or took too long.
        VerificationError: The lessons are not as the rules have them.
    """
    room, composed = retraining.room, retraining.room.folder / "composed"
    lessons = composed / FOLDER / FILE
    lessons.parent.mkdir(parents=True)
    batch = cell_of(run, inside).batch
    job = ComposeJob(str(room.strategy), str(room.purchase), batch, run.train_seed, str(lessons))
    job.save(room.given / "compose.json")
    walls = Walls((*python_paths(), room.given), (composed,), tuple(hidden))
    _run(
        "slubench.submission.retrain.compose_process",
        room.given / "compose.json",
        walls,
        retraining.folder,
        COMPOSING,
    )
    return read_back(composed, run, inside)


def _train(run: Run, job: Path, retraining: Retraining, hidden: Sequence[Path]) -> None:
    """Train; the strategy's file is there only where a stage has a loss of its own, which it holds."""
    room = retraining.room
    own = [room.strategy] if any(stage.objective for stage in run.strategy.stages) else []
    walls = Walls((*python_paths(), *_weights(run), *own), (room.made,), tuple(hidden))
    _run("slubench.train", job, walls, retraining.folder)


def _run(module: str, job: Path, walls: Walls, folder: Path, seconds: float | None = None) -> None:
    command = [sys.executable, "-P", "-m", module, str(job)]
    environment = {**CALM, **OFFLINE, "PYTHONPATH": str(Path(__file__).resolve().parents[3])}
    run_sandboxed(command, walls, folder / f"{module}.log", environment, seconds)


def _weights(run: Run) -> list[Path]:
    """The model's folder, and where its links lead (the Hub's cache keeps files apart from their names)."""
    folder = Path(run.model.repository)
    return [folder, *sorted({path.resolve().parent for path in folder.iterdir() if path.is_symlink()})]
