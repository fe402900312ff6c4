"""Trains and asks a strategy at several budgets, by the very code that runs it, its training audited."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from slubench.conformance.audit import Opened
from slubench.conformance.train_process import TrainReport, start_audited
from slubench.conformance.verdict import FAIL, NOT_CHECKED, PASS, Verdict
from slubench.domain.budget import Budget
from slubench.domain.model import Model
from slubench.domain.run import Run
from slubench.domain.strategy import Strategy
from slubench.domain.task import Task
from slubench.errors import SlubenchError
from slubench.pipeline.context import Context
from slubench.pipeline.plan import Planned, plan
from slubench.pipeline.run import perform
from slubench.pipeline.train import train

TRAINS, ANSWERS = "trains", "answers"


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
    for run in runs:
        planned = plan(run, context)
        try:
            updates.append(f"{sum(_train(planned, cast, context, private, trial))} at {run.spends}")
        except SlubenchError as error:
            reason = f"at {run.spends}: {_why(error, planned, context)}"
            remedy = "Mend what the reason names; `slubench run` with the same strategy shows more."
            trial.verdicts += [
                Verdict(TRAINS, FAIL, reason, remedy),
                Verdict(ANSWERS, NOT_CHECKED, "it does not train"),
            ]
            return trial
    if cast.strategy.stages:
        trial.verdicts.append(Verdict(TRAINS, PASS, f"updates: {', '.join(updates)}"))
    else:
        trial.verdicts.append(Verdict(TRAINS, PASS, "it has no stages: the model is asked as it is"))
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
                strategy_origin=str(cast.file),
            )
            runs.setdefault(run.name, run)
    return list(runs.values())


def _train(
    planned: Planned, cast: Cast, context: Context, private: Sequence[Path], trial: Trial
) -> tuple[int, ...]:
    def start(module: str, job: Path) -> None:
        try:
            start_audited(cast.file, private, job)
        finally:
            trial.opened += TrainReport.beside(job).opened

    return train(planned, context, start).ledger.updates


def _why(error: SlubenchError, planned: Planned, context: Context) -> str:
    jobs = context.home.runs.glob(f"*-{planned.trained[:8]}/train.json")
    reasons = [TrainReport.beside(job).error for job in jobs]
    return next(filter(None, reasons), str(error))


def _answers(runs: Sequence[Run], context: Context) -> Verdict:
    import pyarrow.parquet as pq

    try:
        outcomes = perform(runs, context)
    except SlubenchError as error:
        return Verdict(ANSWERS, FAIL, str(error), "Look at the engine: `slubench doctor`.")
    answered = set()
    for outcome in outcomes:
        table = pq.read_table(outcome.scores, columns=["input", "slice_by", "n"]).to_pylist()
        answered |= {(row["input"], row["n"]) for row in table if row["slice_by"] == "all"}
    items = ", ".join(f"{n} items as {asked}" for asked, n in sorted(answered))
    return Verdict(ANSWERS, PASS, f"{items}; {len(outcomes)} scored, with {context.engine}")
