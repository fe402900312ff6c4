"""Trains a strategy at several budgets, under audit, and predicts, with the code of `slubench run`."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from slubench.conformance.audit import Opened
from slubench.conformance.train_process import TrainReport, start_audited
from slubench.conformance.verdict import FAIL, NOT_CHECKED, PASS, Verdict
from slubench.domain.budget import Budget
from slubench.domain.model import Model, smallest_track
from slubench.domain.run import Run
from slubench.domain.strategy import Strategy
from slubench.domain.task import Task
from slubench.errors import SlubenchError
from slubench.pipeline.context import Context
from slubench.pipeline.plan import Planned, plan
from slubench.pipeline.run import perform
from slubench.pipeline.train import train
from slubench.registry.adapters import Adapter

TRAINS, LEARNS, PREDICTS = "trains", "its loss falls", "predicts"
FEWEST = 6
"""The minimum number of updates of a stage for its loss to be checked."""
MARGIN = 0.02
"""The share by which the mean loss must fall from the first third of the updates to the last."""


class Cast(NamedTuple):
    """Who takes part in a trial.

    Attributes:
        strategy: How one trains.
        file: Real path of its file.
        task: What is asked.
        model: Who learns, its weights located.
        weights: Digest of the weights.
    """

    strategy: Strategy
    file: Path
    task: Task
    model: Model
    weights: str


@dataclass
class Trial:
    """What became of it.

    Attributes:
        verdicts: Whether it trains and answers.
        opened: What the strategy's code reached for while it trained.
    """

    verdicts: list[Verdict] = field(default_factory=list)
    opened: list[Opened] = field(default_factory=list)


def put_on_trial(cast: Cast, budgets: Sequence[str], context: Context, private: Sequence[Path]) -> Trial:
    """Train at every budget, then ask all that was trained in one engine.

    Args:
        cast: Who takes part.
        budgets: As in `--speech`; those that the strategy takes alike are trained once, and one without
            speech is left out where it needs some.
        context: Where and with what.
        private: Folders of recordings that nobody else opens meanwhile.
    """
    trial = Trial()
    runs = _runs(cast, budgets)
    updates: list[str] = []
    curves: list[tuple[str, list[list[float]]]] = []
    for run in runs:
        planned = plan(run, context)
        try:
            adapter = _train(planned, cast, context, private, trial)
            updates.append(f"{sum(adapter.ledger.updates)} at {run.spends}")
            losses = [float(point["loss"]) for point in adapter.training.get("curve", ())]
            curves.append((f"at {run.spends}", by_stage(losses, adapter.ledger.updates)))
        except SlubenchError as error:
            reason = f"at {run.spends}: {_why(error, planned, context)}"
            remedy = "Fix the cause given above; `slubench run` with the same strategy shows more."
            trial.verdicts += [
                Verdict(TRAINS, FAIL, reason, remedy),
                Verdict(PREDICTS, NOT_CHECKED, "it does not train"),
            ]
            return trial
    if cast.strategy.stages:
        trial.verdicts.append(Verdict(TRAINS, PASS, f"updates: {', '.join(updates)}"))
        trial.verdicts.append(learning_verdict(curves))
    else:
        trial.verdicts.append(
            Verdict(TRAINS, PASS, "no stages: the base model is evaluated without training")
        )
    trial.verdicts.append(_answers(runs, context))
    return trial


def _runs(cast: Cast, budgets: Sequence[str]) -> list[Run]:
    runs: dict[str, Run] = {}
    for budget in map(Budget.parse, budgets):
        if budget.uses_speech or not cast.strategy.needs_speech:
            run = Run(
                task=cast.task,
                strategy=cast.strategy,
                budget=budget,
                model=cast.model,
                weights=cast.weights,
                track=smallest_track(cast.strategy.trains),
                strategy_origin=str(cast.file),
            )
            runs.setdefault(run.name, run)
    return list(runs.values())


def _train(planned: Planned, cast: Cast, context: Context, private: Sequence[Path], trial: Trial) -> Adapter:
    def start(module: str, job: Path) -> None:
        try:
            start_audited(cast.file, private, job)
        finally:
            trial.opened += TrainReport.beside(job).opened

    return train(planned, context, start)


def by_stage(losses: Sequence[float], updates: Sequence[int]) -> list[list[float]]:
    """The losses of a training, a list a stage."""
    ends = list(itertools.accumulate(updates))
    return [list(losses[end - count : end]) for count, end in zip(updates, ends, strict=True)]


def learning_verdict(curves: Sequence[tuple[str, Sequence[Sequence[float]]]]) -> Verdict:
    """Whether the loss of a stage, or of the whole training, falls from its first third to its last.

    Stages may have losses of their own kinds, so that one that falls is enough.

    Args:
        curves: The losses of each training, a sequence a stage, by a name for each.
    """
    told, flat = [], []
    for name, stages in curves:
        looked = [losses for losses in (*stages, [*itertools.chain(*stages)]) if len(losses) >= FEWEST]
        ends = [
            (_mean(losses[: len(losses) // 3]), _mean(losses[-(len(losses) // 3) :])) for losses in looked
        ]
        if not ends:
            continue
        first, last = max(ends, key=lambda pair: pair[0] - pair[1])
        told.append(f"from {first:.2f} to {last:.2f} {name}")
        if not first - last > MARGIN * abs(first):
            flat.append(told[-1])
    if not told:
        return Verdict(LEARNS, NOT_CHECKED, f"no stage has {FEWEST} updates")
    if flat:
        remedy = "Check the examples of compose, their weights, and the objective's sign."
        return Verdict(LEARNS, FAIL, f"the loss does not fall: {'; '.join(flat)}", remedy)
    return Verdict(LEARNS, PASS, ", ".join(told))


def _mean(losses: Sequence[float]) -> float:
    return sum(losses) / len(losses)


def _why(error: SlubenchError, planned: Planned, context: Context) -> str:
    jobs = context.home.runs.glob(f"*-{planned.trained[:8]}/train.json")
    reasons = [TrainReport.beside(job).error for job in jobs]
    return next(filter(None, reasons), str(error))


def _answers(runs: Sequence[Run], context: Context) -> Verdict:
    import pyarrow.parquet as pq

    try:
        outcomes = perform(runs, context)
    except SlubenchError as error:
        return Verdict(PREDICTS, FAIL, str(error), "Check the engine: `slubench doctor`.")
    answered = set()
    for outcome in outcomes:
        table = pq.read_table(outcome.scores, columns=["input", "slice_by", "n"]).to_pylist()
        answered |= {(row["input"], row["n"]) for row in table if row["slice_by"] == "all"}
    items = ", ".join(f"{n} items from {asked}" for asked, n in sorted(answered))
    return Verdict(PREDICTS, PASS, f"{items}; {len(outcomes)} scored, with {context.engine}")
