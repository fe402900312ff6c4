"""`slubench run`, from top to bottom: each verb turns one noun into the next.

    Run -> Lessons -> Adapter -> Answers -> Scores

Each verb first looks for what is on disk under its fingerprint, so running the same command again
resumes, or says at once that all is there.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from slubench.domain.run import Run
from slubench.errors import DataError, SlubenchError
from slubench.pipeline.context import Machine
from slubench.pipeline.failures import FailedRuns
from slubench.pipeline.plan import Planned, _no_leaks, plan
from slubench.pipeline.predict import PredictionRequest, Predictions, predict, predictions_folder, read_kept
from slubench.pipeline.score import find_scores, score
from slubench.pipeline.train import train
from slubench.pipeline.transcribe import transcribe
from slubench.registry.adapters import Adapter, find_adapter
from slubench.runtime.locks import locked


@dataclass(frozen=True)
class Outcome:
    """What became of a run.

    Attributes:
        run: The run.
        scores: Its Parquet file of scores.
        cached: Whether all was there already.
        seconds: Wall-clock seconds this command took for all its runs.
    """

    run: Run
    scores: Path
    cached: bool
    seconds: float


def perform(runs: Sequence[Run], machine: Machine) -> list[Outcome]:
    """Train, ask and score runs; all that is missing of one model is asked in one engine.

    Args:
        runs: In order.
        machine: Where and with what.

    Raises:
        SlubenchError: The only run cannot be done.
        FailedRuns: Some of several cannot be done; the others are scored.
    """
    started = time.monotonic()
    failures: list[tuple[str, SlubenchError]] = []

    def fail(run: Run, error: SlubenchError) -> None:
        if len(runs) == 1:
            raise error
        machine.say(f"{run.name}: failed: {error}")
        failures.append((run.name, error))

    planned: list[Planned] = []
    for run in runs:
        try:
            planned.append(plan(run, machine))
        except SlubenchError as error:
            fail(run, error)
    paths: dict[str, Path] = {}
    cached: set[str] = set()
    to_ask: dict[str, tuple[Planned, Adapter]] = {}
    for one in planned:
        if one.scored in paths or one.scored in to_ask:
            continue
        try:
            found = find_scores(machine.home, one.scored)
            if found is not None:
                machine.say(f"{one.run.name}: scored already ({found.name})")
                paths[one.scored] = found
                cached.add(one.scored)
                continue
            adapter = find_adapter(machine.home, one.trained)
            if adapter is None:
                adapter = _train(one, machine)
            else:
                machine.say(f"{one.run.name}: trained already ({adapter.stem})")
            to_ask[one.scored] = one, adapter
        except SlubenchError as error:
            fail(one.run, error)
    # An engine serves one model; where it fails, the other models' runs go on.
    models: dict[tuple[str, object], list[tuple[Planned, Adapter]]] = {}
    for one, adapter in to_ask.values():
        models.setdefault((one.run.model.name, one.run.model.prompt), []).append((one, adapter))
    for alike in models.values():
        for one, why in _ask_and_score(alike, machine, paths):
            fail(one.run, why)
    seconds = time.monotonic() - started
    outcomes = [
        Outcome(one.run, paths[one.scored], one.scored in cached, seconds)
        for one in planned
        if one.scored in paths
    ]
    if failures:
        raise FailedRuns(outcomes, failures)
    return outcomes


def _ask_and_score(
    to_ask: Sequence[tuple[Planned, Adapter]], machine: Machine, paths: dict[str, Path]
) -> list[tuple[Planned, SlubenchError]]:
    """Ask adapters of one model, and score each as soon as it is answered.

    Args:
        to_ask: Whom.
        machine: Where and with what.
        paths: Takes the scores.

    Returns:
        The runs that failed, and why.
    """

    def score_one(one: Planned, adapter: Adapter) -> bool:
        ready = _ready(one, adapter, machine)
        if one.scored not in paths and ready is not None:
            machine.say(f"{one.run.name}: scoring")
            paths[one.scored] = score(
                one.run, adapter, ready[0], one.test, one.pools, one.scored, machine.home, *ready[1:]
            )
        return one.scored in paths

    def score_ready() -> None:
        for one, adapter in to_ask:
            # What can't be scored does not stop the engine; it is told when that has ended.
            if one.scored not in paths:
                with suppress(SlubenchError):
                    score_one(one, adapter)

    failed: SlubenchError | None = None
    try:
        _ask(to_ask, machine, score_ready)
    except SlubenchError as error:
        failed = error
    failures = []
    for one, adapter in to_ask:
        try:
            if one.scored not in paths and not score_one(one, adapter):
                raise failed or DataError(f"{one.run.name}: no predictions were kept; run it again.")
        except SlubenchError as error:
            failures.append((one, error))
    return failures


def _ready(planned: Planned, adapter: Adapter, machine: Machine) -> list[Predictions] | None:
    """The predictions of a run in every way that is wanted, None where some are not there yet."""
    wanted = [planned.answered, *([planned.owned] if planned.owned is not None else [])]
    folders = [predictions_folder(machine.home, adapter, planned.test, name) for name in wanted]
    if not all((folder / name).exists() for folder in folders for name in ("answers.parquet", "report.json")):
        return None
    return [read_kept(folder, name) for folder, name in zip(folders, wanted, strict=True)]


def _ask(to_ask: Sequence[tuple[Planned, Adapter]], machine: Machine, meanwhile: Callable[[], None]) -> None:
    """Ask adapters in all ways that are wanted; `meanwhile` is called while an engine works."""
    asked = [PredictionRequest(one.run, adapter, one.test, one.answered) for one, adapter in to_ask]
    heard: dict[str, dict[str, str]] = {}
    for one, adapter in to_ask:
        if one.owned is None:
            continue
        if one.transcribed not in heard:
            heard[one.transcribed] = transcribe(
                one.run, one.test, one.transcribed, machine.engine, machine.home, machine.say, machine.watch
            )
        asked.append(PredictionRequest(one.run, adapter, one.test, one.owned, heard[one.transcribed]))
    # Tasks may share an adapter and its test; it is asked once.
    asked = list({one.fingerprint: one for one in asked}.values())
    predict(asked, machine.engine, machine.serving, machine.home, machine.say, machine.watch, meanwhile)


def _train(planned: Planned, machine: Machine) -> Adapter:
    _no_leaks(planned)
    store = machine.clips(planned.run)
    lock = machine.home.locks / f"training-{planned.trained[:16]}"
    with locked(lock, f"training {planned.run.training}", machine.say):
        # Another process may have trained it while this one waited.
        return find_adapter(machine.home, planned.trained) or train(
            planned.run,
            planned.pools,
            planned.watched,
            planned.trained,
            store,
            machine.home,
            machine.say,
            machine.watch,
        )
