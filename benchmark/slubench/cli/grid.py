"""What `slubench run` and `slubench sweep` are asked for, and the runs that this names."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from slubench.cli.options import say
from slubench.errors import unknown

if TYPE_CHECKING:
    from slubench.domain.budget import Budget
    from slubench.domain.model import Model
    from slubench.domain.run import Run
    from slubench.domain.strategy import Strategy
    from slubench.domain.task import Task
    from slubench.registry import Registry


@dataclasses.dataclass(frozen=True, kw_only=True)
class Wanted:
    """What was asked for, as it was given; lists are combined.

    Attributes:
        tasks: Names.
        strategies: Names or files.
        budgets: As in `5%`.
        targets: Conditions on target data.
        seeds: Pairs of data seed and train seed.
        model: Name or folder; None takes the edition's.
        edition: `auto`, `full` or `mini`.
        engine: `auto`, `vllm` or `transformers`.
        serving: `auto`, `live` or `merged`.
        track: Which parts learn.
        selection: What is looked at, and which weights count.
        ask: Ways of asking, joined by commas.
        home: HOME, if one is named.
        corpora: A mirror, if one is named.
        as_json: Whether scores are printed as JSON.
    """

    tasks: list[str]
    strategies: list[str]
    budgets: list[str]
    targets: list[str]
    seeds: list[tuple[int, int]]
    model: str | None
    edition: str
    engine: str
    serving: str
    track: str
    selection: str
    ask: str
    home: Path | None
    corpora: Path | None
    as_json: bool


class Declared(NamedTuple):
    """The declarations that names stand for."""

    tasks: list[Task]
    strategies: list[Strategy]
    budgets: list[Budget]

    @property
    def alone(self) -> bool:
        """Whether there is one combination, seeds apart."""
        return len(self.tasks) == len(self.strategies) == len(self.budgets) == 1


def declare(wanted: Wanted, registry: Registry) -> Declared:
    """Look names up.

    Raises:
        UsageError: A name is none, or what is asked for alone cannot be.
    """
    from slubench.domain.budget import Budget
    from slubench.domain.model import TRACKS
    from slubench.domain.selection import SELECTIONS
    from slubench.domain.target import TARGETS
    from slubench.trainset.train_set import needs_speech

    tasks = [registry.task(name) for name in wanted.tasks]
    strategies = [registry.strategy(name) for name in wanted.strategies]
    for target in wanted.targets:
        if target not in TARGETS:
            raise unknown("target data", target, TARGETS)
    budgets = [
        dataclasses.replace(Budget.parse(budget), target=target)
        for budget in wanted.budgets
        for target in wanted.targets
    ]
    declared = Declared(tasks, strategies, budgets)
    if declared.alone:
        tasks[0].check_target(budgets[0].target)
    if len(strategies) == len(budgets) == 1 and strategies[0].needs_speech and not budgets[0].uses_speech:
        raise needs_speech(strategies[0], budgets[0])
    for what, name, known in (
        ("track", wanted.track, TRACKS),
        ("serving", wanted.serving, ("auto", "live", "merged")),
        ("selection", wanted.selection, SELECTIONS),
    ):
        if name not in known:
            raise unknown(what, name, known)
    return declared


def runs_of(
    wanted: Wanted, declared: Declared, registry: Registry, edition: str, model: Model, weights: str
) -> Iterator[Run]:
    """Every combination that can be, each once; what cannot is said with its reason."""
    from slubench.domain.run import Run
    from slubench.domain.selection import SELECTIONS

    combinations = list(
        itertools.product(declared.tasks, declared.strategies, declared.budgets, wanted.seeds)
    )
    names = set()
    for task, strategy, budget, (data_seed, train_seed) in combinations:
        run = Run(
            task=task,
            strategy=strategy,
            budget=budget,
            model=model,
            weights=weights,
            track=wanted.track,
            data_seed=data_seed,
            train_seed=train_seed,
            edition=edition,
            selection=wanted.selection,
            strategy_origin=registry.origin(strategy),
        )
        if len(combinations) > 1 and strategy.needs_speech and not budget.uses_speech:
            say(f"left out: {strategy.name} at 0, because it learns from speech")
        elif budget.target not in task.targets:
            say(f"left out: {task.name} with target data {budget.target}, which it does not know")
        elif len(combinations) > 1 and SELECTIONS[run.selects].slice and not run.spends:
            say(f"left out: {strategy.name} at {budget}, which buys no clips for {run.selects}")
        elif run.name not in names:
            names.add(run.name)
            yield run
