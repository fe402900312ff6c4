"""Shares the runs of a sweep out among places, and takes their results in.

What is on disk is the state: an adapter that is there is not trained, scores that are there are not made
again. Runs that differ only in the test share one training. Trainings begin first; a place that has nothing
left to train predicts with the adapters that are trained, all of one model with one engine.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Protocol

from slubench.errors import SlubenchError
from slubench.pipeline.context import Context
from slubench.pipeline.find_scores import find_scores
from slubench.pipeline.outcomes import FailedRuns, Outcome
from slubench.pipeline.plan import Planned, plan
from slubench.pipeline.predict import are_predicted
from slubench.pipeline.score import score
from slubench.registry.adapters import find_adapter
from slubench.sweep.grid import GridRun
from slubench.sweep.states import (
    CACHED,
    FAILED,
    PREDICTING,
    SCORED,
    TRAINED,
    TRAINING,
    RunState,
    RunStates,
    training_progress,
)
from slubench.sweep.unit import PREDICT, TRAIN, WHOLE, EndedUnit, SweepSettings, Unit

LOOK_SECONDS = 2.0
"""Seconds between two looks at what runs under way have written."""


class Machine(Protocol):
    """Where units are worked on: this machine, a Ray cluster or a SLURM one.

    Attributes:
        whole: Whether a unit trains an adapter and predicts with it too.
    """

    whole: bool

    @property
    def places(self) -> int:
        """How many units it works on at a time."""

    def free(self) -> int:
        """How many GPUs, or places on CPUs, are free now."""

    def begin(self, units: Sequence[Unit]) -> None:
        """Begin to work on units; each takes as many places as it says."""

    def ended(self, seconds: float) -> list[EndedUnit]:
        """The units that have ended, waited for up to some seconds; their results are in HOME."""

    def stop(self) -> None:
        """End what is under way; it resumes when the same sweep is started again."""


@dataclass
class WorkQueue:
    """A sweep under way.

    Attributes:
        contexts: The context of each model, by the name it was given.
        settings: What all units share.
        machine: Where units are worked on.
        states: How far each run is.
        gpus: How many GPUs an engine of each model needs.
    """

    contexts: Mapping[str, Context]
    settings: SweepSettings
    machine: Machine
    states: RunStates
    gpus: Mapping[str, int] = field(default_factory=dict)
    _working: dict[str, tuple[Unit, list[RunState]]] = field(default_factory=dict)
    _to_train: list[list[RunState]] = field(default_factory=list)
    _to_predict: list[RunState] = field(default_factory=list)
    _looked: float = 0.0

    def perform(self) -> list[Outcome]:
        """Do all runs.

        Returns:
            Their scores.

        Raises:
            FailedRuns: Some failed; the others are scored.
        """
        started = time.monotonic()
        self._sort()
        try:
            while self._working or self._to_train or self._to_predict:
                self._begin()
                self._look()
                for ended in self.machine.ended(LOOK_SECONDS):
                    self._take(ended)
        finally:
            if self._working:
                self.machine.stop()
        return self._conclude(time.monotonic() - started)

    def _sort(self) -> None:
        """Sort what is due into what is to be trained, by adapter, and what only to be predicted."""
        trainings: dict[str, list[RunState]] = {}
        for run in self.states.runs:
            if not run.due or run.planned is None:
                continue
            with _failing(run, self.states):
                stages = run.planned.run.strategy.stages
                adapter = find_adapter(self._context(run).home, run.planned.trained)
                if self.machine.whole or (stages and adapter is None):
                    trainings.setdefault(run.planned.trained, []).append(run)
                else:
                    self._trained(run)
        self._to_train = list(trainings.values())

    def _trained(self, run: RunState) -> None:
        self.states.set(run, TRAINED)
        self._to_predict.append(run)

    def _begin(self) -> None:
        begun: list[Unit] = []
        free = self.machine.free()
        while free > 0 and self._to_train:
            runs = self._to_train.pop(0)
            begun.append(self._unit(WHOLE if self.machine.whole else TRAIN, runs))
            for run in runs:
                self.states.set(run, TRAINING)
            free -= 1
        # With a single place everything is trained before the one engine is started.
        while free > 0 and self._to_predict and (self.machine.places > 1 or not self._working):
            runs = self._alike()
            need = self.gpus.get(runs[0].combination.located.name, 1)
            if need > free:
                break
            together = runs[: -(-len(runs) // (free // need))]
            for run in together:
                self._to_predict.remove(run)
                self.states.set(run, PREDICTING)
            begun.append(self._unit(PREDICT, together, need))
            free -= need
        if begun:
            self.machine.begin(begun)

    def _alike(self) -> list[RunState]:
        """The runs that wait for the model of the first that waits; those with one adapter stand together."""
        loads = self._to_predict[0].combination.run.loads
        alike = [run for run in self._to_predict if run.combination.run.loads == loads]
        first: dict[str, int] = {}
        for run in alike:
            first.setdefault(_of(run).trained, len(first))
        return sorted(alike, key=lambda run: first[_of(run).trained])

    def _unit(self, kind: str, runs: list[RunState], gpus: int = 1) -> Unit:
        located = runs[0].combination.located
        taken = runs[:1] if kind == TRAIN else runs
        more = f" and {len(taken) - 1} more" if len(taken) > 1 else ""
        unit = Unit(
            kind=kind,
            name=f"{runs[0].combination.run.training if kind == TRAIN else runs[0].name}{more}",
            model=located.name,
            engine=located.engine,
            cells=tuple(run.combination.cell for run in taken),
            trained=tuple(_of(run).trained for run in taken),
            settings=self.settings,
            gpus=gpus,
        )
        self._working[unit.identity] = (unit, runs)
        return unit

    def _take(self, ended: EndedUnit) -> None:
        unit, runs = self._working.pop(ended.unit.identity)
        for run in runs:
            with _failing(run, self.states):
                if unit.kind == TRAIN:
                    if find_adapter(self._context(run).home, _of(run).trained) is not None:
                        self._trained(run)
                        continue
                elif self._found(run) or self._scored(run):
                    continue
                # A training is that of its first run.
                name = runs[0].name if unit.kind == TRAIN else run.name
                reason = ended.reasons.get(name) or ended.reasons.get("") or ended.error
                raise SlubenchError(reason or f"{unit.name} ended without a result")

    def _found(self, run: RunState) -> bool:
        run.scores = find_scores(_of(run), self._context(run))
        if run.scores is not None:
            self.states.set(run, SCORED, headline(run))
        return run.scores is not None

    def _scored(self, run: RunState) -> bool:
        """Score a run whose predictions have come without scores."""
        context = self._context(run)
        if not are_predicted(_of(run), context):
            return False
        run.scores = score(_of(run), context)
        self.states.set(run, SCORED, headline(run))
        return True

    def _look(self) -> None:
        """Look how far runs under way are."""
        if time.monotonic() - self._looked < LOOK_SECONDS:
            return
        for unit, runs in self._working.values():
            for run in runs:
                home = self._context(run).home
                if unit.kind != PREDICT and (told := training_progress(_of(run), home)):
                    self.states.set(run, TRAINING, told)
                if unit.kind != TRAIN:
                    with suppress(SlubenchError):  # what cannot be read now is told when the unit has ended
                        self._found(run)
        self._looked = time.monotonic()

    def _context(self, run: RunState) -> Context:
        return self.contexts[run.combination.located.name]

    def _conclude(self, seconds: float) -> list[Outcome]:
        outcomes = [
            Outcome(_of(run).run, run.scores, run.state == CACHED, seconds)
            for run in self.states.runs
            if run.scores is not None
        ]
        failures = [(run.name, SlubenchError(run.detail)) for run in self.states.runs if run.state == FAILED]
        if failures:
            raise FailedRuns(outcomes, failures)
        return outcomes


def plan_all(runs: Sequence[GridRun], contexts: Mapping[str, Context]) -> RunStates:
    """Plan the runs of a sweep, and find what is scored already.

    Args:
        runs: In order.
        contexts: The context of each model, by the name it was given.
    """
    states = RunStates()
    scored: set[str] = set()
    for combination in runs:
        state = RunState(len(states.runs), combination, None)
        context = contexts[combination.located.name]
        with _failing(state, states):
            state.planned = plan(combination.run, context)
            if state.planned.scored in scored:
                continue  # the same under another budget, such as one that buys everything
            scored.add(state.planned.scored)
            state.scores = find_scores(state.planned, context)
            if state.scores is not None:
                states.set(state, CACHED, headline(state))
        states.runs.append(state)
    return states


def headline(run: RunState) -> str:
    """The ranked score of a scored run on speech, as a reader sees it."""
    import pyarrow.parquet as pq

    if run.scores is None:
        return ""
    filters = [("slice_by", "=", "all"), ("input", "=", "speech"), ("normalised", "=", True)]
    table = pq.read_table(run.scores, columns=["metric", "value"], filters=filters)
    values = dict(zip(table["metric"].to_pylist(), table["value"].to_pylist(), strict=True))
    value = values.get("slu_f1", values.get("intent_accuracy"))
    return "" if value is None else f"{100 * value:.1f}"


def _of(run: RunState) -> Planned:
    assert run.planned is not None, run.name
    return run.planned


@contextmanager
def _failing(run: RunState, states: RunStates) -> Iterator[None]:
    """Let a run fail by an error in the block."""
    try:
        yield
    except SlubenchError as error:
        states.set(run, FAILED, str(error))
