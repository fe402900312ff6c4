"""`python -m slubench.sweep.worker UNIT.json`: do one unit of a sweep.

Exits with 0 when its runs are done, 1 when some failed (why is in the file beside the unit's), and 143 when
SIGTERM came: checkpoints are kept, and the same unit resumes.
"""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from slubench.domain.run import Run
from slubench.errors import DataError, SlubenchError
from slubench.pipeline.context import Context, open_context
from slubench.pipeline.outcomes import FailedRuns
from slubench.pipeline.plan import Planned, plan
from slubench.pipeline.predict import predict
from slubench.pipeline.preflight import check_before_training
from slubench.pipeline.run import perform
from slubench.pipeline.train import train
from slubench.runtime.child_process import run_module
from slubench.runtime.files import write_text
from slubench.sweep.checkpoint_store import CheckpointStore
from slubench.sweep.grid import LocatedModel
from slubench.sweep.unit import ANSWER, TRAIN, Unit, reasons_file


def say(line: str) -> None:
    """Report a step on stderr, which is the unit's log."""
    print(line, file=sys.stderr, flush=True)


def work(unit: Unit) -> dict[str, str]:
    """Do a unit.

    Returns:
        Why runs failed, by name; empty where none did.

    Raises:
        SlubenchError: Nothing of it can be done.
    """
    context, runs = open_unit(unit, say)
    store = CheckpointStore(unit.settings.checkpoints, say) if unit.settings.checkpoints else None
    start: Callable[[str, Path], None] = store.train if store else run_module
    if unit.kind == TRAIN:
        planned = plan(runs[0], context)
        check_before_training(planned, context)
        train(planned, context, start)
        return {}
    if unit.kind == ANSWER:
        return _answer(runs, context)
    try:
        perform(runs, context, start)
    except FailedRuns as failed:
        return failed.reasons
    return {}


def _answer(runs: Sequence[Run], context: Context) -> dict[str, str]:
    """Predict with adapters that are there, and leave the scoring to others."""
    reasons: dict[str, str] = {}

    def note(one: Planned, error: SlubenchError) -> None:
        reasons.setdefault(one.run.name, str(error))

    planned = []
    for run in runs:
        one = plan(run, context)
        try:
            train(one, context)  # found, or without weights
            planned.append(one)
        except SlubenchError as error:
            note(one, error)
    predict(planned, context, failed=note)
    return reasons


def open_unit(unit: Unit, say: Callable[[str], None]) -> tuple[Context, list[Run]]:
    """The context of a unit, and its runs.

    Raises:
        SlubenchError: A name is not known here, or a corpus, weights or a device are missing.
        DataError: This machine has other data than where the sweep was started.
    """
    settings = unit.settings
    context = open_context(
        home=Path(settings.home),
        corpora=Path(settings.corpora) if settings.corpora else None,
        engine=unit.engine,
        serving=settings.serving,
        inputs=settings.inputs,
        say=say,
    )
    context = replace(context, gpus=unit.gpus)
    edition = context.choose_edition(settings.edition)
    model, weights = context.locate(context.model(unit.model or None, edition))
    located = LocatedModel(name=unit.model, model=model, weights=weights, engine=unit.engine)
    runs = [cell.run(context.registry, edition.name, located) for cell in unit.cells]
    for run, expected in zip(runs, unit.trained, strict=True):
        if (found := plan(run, context).trained) != expected:
            raise DataError(
                f"{run.name}: this machine would train another adapter ({found[:8]}) than the"
                f" machine that started the sweep ({expected[:8]}). Corpora, weights, declarations and the"
                " version of slubench must be the same on all machines."
            )
    return context, runs


def main(arguments: list[str]) -> int:
    """Do the unit in the file that the arguments name, and return the exit code."""
    # SLURM announces by it that the time is over soon, to all processes of a job.
    signal.signal(signal.SIGUSR2, signal.SIG_IGN)
    path = Path(arguments[0])
    unit = Unit.load(path)
    reasons_file(path).unlink(missing_ok=True)
    try:
        reasons = work(unit)
    except (SlubenchError, OSError) as error:
        say(f"failed: {error}")
        reasons = {"": str(error)}
    if reasons:
        write_text(reasons_file(path), json.dumps(reasons, indent=1))
    return 1 if reasons else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
