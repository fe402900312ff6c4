"""`slubench run`, from top to bottom: each verb turns one noun into the next.

    Run -> Lessons -> Adapter -> Answers -> Scores

Each verb first looks for what is on disk under its fingerprint, so running the same command again
resumes, or says at once that all is there.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from slubench.domain.run import Run
from slubench.pipeline.context import Machine
from slubench.pipeline.plan import Planned, _no_leaks, plan
from slubench.pipeline.predict import PredictionRequest, Predictions, predict
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
        SlubenchError: A run cannot be done; what others have done is kept.
    """
    started = time.monotonic()
    planned = [plan(run, machine) for run in runs]
    paths: dict[str, Path] = {}
    cached: set[str] = set()
    to_ask: dict[str, tuple[Planned, Adapter]] = {}
    for one in planned:
        if one.scored in paths or one.scored in to_ask:
            continue
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
    answered = _ask(list(to_ask.values()), machine)
    for one, adapter in to_ask.values():
        machine.say(f"{one.run.name}: scoring")
        paths[one.scored] = score(
            one.run,
            adapter,
            answered[one.answered],
            one.test,
            one.pools,
            one.scored,
            machine.home,
            answered[one.owned] if one.owned is not None else None,
        )
    seconds = time.monotonic() - started
    return [Outcome(one.run, paths[one.scored], one.scored in cached, seconds) for one in planned]


def _ask(to_ask: Sequence[tuple[Planned, Adapter]], machine: Machine) -> dict[str, Predictions]:
    """Ask adapters in all ways that are wanted; answers by fingerprint."""
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
    found = predict(asked, machine.engine, machine.serving, machine.home, machine.say, machine.watch)
    return {one.fingerprint: answers for one, answers in zip(asked, found, strict=True)}


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
