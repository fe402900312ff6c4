"""The run that a score row and a card name, planned against the user's own corpora."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from slubench.data.editions import EDITIONS, check_offered
from slubench.domain.budget import Budget
from slubench.domain.peft_method import every_track
from slubench.domain.run import Run, limit_of
from slubench.domain.selection import SELECTIONS
from slubench.domain.strategy import Strategy
from slubench.domain.target import TARGETS
from slubench.domain.task import Task
from slubench.errors import MissingError, UsageError, unknown
from slubench.pipeline.context import Context
from slubench.pipeline.plan import Planned, plan
from slubench.registry.adapters import Adapter
from slubench.registry.kinds import BY_NAME
from slubench.runtime import engines


def run_of_row(
    row: Mapping[str, Any], card: Adapter, strategy: Strategy, context: Context, origin: str = ""
) -> Run:
    """The run that a score row and a card name.

    Args:
        row: By the names of `slubench.schemas.IDENTITY`.
        card: The adapter's.
        strategy: The strategy.
        context: Where tasks and models are looked up.
        origin: The strategy's file.

    Raises:
        UsageError: Task, model, edition, track, budget, condition or selection is not known.
    """
    # A name from a bundle is never a path: by `registry.task` a file could be named, and would be imported.
    task: Task = context.registry.find_named(BY_NAME["task"], row["task"])
    for what, name, known in (
        ("edition", row["edition"], EDITIONS),
        ("track", row["track"], every_track()),
        ("target data", row["target"], TARGETS),
        ("selection", card.ledger.selection, SELECTIONS),
    ):
        if name not in known:
            raise unknown(what, name, known)
    task.check_target(row["target"])
    model = context.registry.complete(context.registry.find_named(BY_NAME["model"], card.base))
    model.recipe(row["track"])
    refuse_smoke_run({"run": task.name, **row})
    ruleset, _, _ = str(row["ruleset"]).partition("+")
    if ruleset != "fixed":
        raise unknown("ruleset", ruleset, ["fixed"])
    return Run(
        task=task,
        strategy=strategy,
        budget=dataclasses.replace(Budget.parse(row["speech"]), target=row["target"]),
        model=model,
        weights=card.weights,
        track=row["track"],
        data_seed=row["data_seed"],
        train_seed=row["train_seed"],
        edition=row["edition"],
        ruleset=ruleset,
        selection=card.ledger.selection,
        strategy_origin=origin,
    )


def refuse_smoke_run(row: Mapping[str, Any]) -> None:
    """Refuse a row that was made with `--limit`.

    Raises:
        UsageError: It read only some utterances of each split.
    """
    if limit_of(str(row["ruleset"])):
        raise UsageError(
            f"{row['run']} is a smoke run (--limit): it read only some utterances, and is not submitted or"
            " published. Run it without --limit."
        )


def plan_row(run: Run, row: Mapping[str, Any], context: Context) -> Planned:
    """Plan a run as the engine of its score row predicted it.

    Raises:
        UsageError: The edition has no such task.
        MissingError: The corpus is not here.
    """
    source = context.source(run.edition)
    try:
        check_offered(source, run.task, context.registry.tasks)
    except MissingError as error:
        raise UsageError(str(error)) from None
    return plan(run, dataclasses.replace(context, engine=_engine(row)))


def engine_for(row: Mapping[str, Any], wanted: str) -> str:
    """The engine to predict a row's run with again: for `auto` the row's own, where it is installed.

    Raises:
        UsageError: No engine bears that name.
        MissingError: It is not installed.
    """
    own = _engine(row)
    return engines.resolve(own if wanted == "auto" and own in engines.available() else wanted)


def _engine(row: Mapping[str, Any]) -> str:
    return str(row["engine"]).partition(" ")[0]
