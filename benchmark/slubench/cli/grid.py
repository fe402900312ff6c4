"""The grid of `slubench run` and `slubench sweep`, and its runs."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator
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
class Grid:
    """The values of a grid, as given on the command line.

    Attributes:
        tasks: Names.
        strategies: Names or files.
        budgets: As in `5%`.
        targets: Conditions on target data.
        seeds: Pairs of data seed and train seed.
        track: Which parts of the model are trained.
        selection: Which weights count.
    """

    tasks: list[str]
    strategies: list[str]
    budgets: list[str]
    targets: list[str]
    seeds: list[tuple[int, int]]
    track: str
    selection: str


class Declared(NamedTuple):
    """The declarations named by a grid."""

    tasks: list[Task]
    strategies: list[Strategy]
    budgets: list[Budget]

    @property
    def alone(self) -> bool:
        """Whether there is only one combination, apart from seeds."""
        return len(self.tasks) == len(self.strategies) == len(self.budgets) == 1


def declare(grid: Grid, registry: Registry) -> Declared:
    """Look up the names of a grid.

    Raises:
        UsageError: A name is not known, or the only combination is impossible.
    """
    from slubench.domain.budget import Budget
    from slubench.domain.peft_method import every_track
    from slubench.domain.selection import SELECTIONS
    from slubench.domain.target import TARGETS
    from slubench.trainset.train_set import needs_speech

    tasks = [registry.task(name) for name in grid.tasks]
    strategies = [registry.strategy(name) for name in grid.strategies]
    for target in grid.targets:
        if target not in TARGETS:
            raise unknown("target data", target, TARGETS)
    budgets = [
        dataclasses.replace(Budget.parse(budget), target=target)
        for budget in grid.budgets
        for target in grid.targets
    ]
    declared = Declared(tasks, strategies, budgets)
    if declared.alone:
        tasks[0].check_target(budgets[0].target)
    if len(strategies) == len(budgets) == 1 and strategies[0].needs_speech and not budgets[0].uses_speech:
        raise needs_speech(strategies[0], budgets[0])
    for what, name, known in (
        ("track", grid.track, every_track()),
        ("selection", grid.selection, SELECTIONS),
    ):
        if name not in known:
            raise unknown(what, name, known)
    return declared


def runs_of(
    grid: Grid, declared: Declared, registry: Registry, edition: str, model: Model, weights: str
) -> Iterator[Run]:
    """Every possible combination, each once; an impossible one is reported with its reason."""
    from slubench.domain.run import Run
    from slubench.domain.selection import SELECTIONS

    combinations = list(itertools.product(declared.tasks, declared.strategies, declared.budgets, grid.seeds))
    names = set()
    for task, strategy, budget, (data_seed, train_seed) in combinations:
        run = Run(
            task=task,
            strategy=strategy,
            budget=budget,
            model=model,
            weights=weights,
            track=grid.track,
            data_seed=data_seed,
            train_seed=train_seed,
            edition=edition,
            selection=grid.selection,
            strategy_origin=registry.origin(strategy),
        )
        if len(combinations) > 1 and strategy.needs_speech and not budget.uses_speech:
            say(f"left out: {strategy.name} at 0, because it needs speech")
        elif budget.target not in task.targets:
            say(f"left out: {task.name} with target data {budget.target}, which the task does not have")
        elif len(combinations) > 1 and SELECTIONS[run.selects].slice and not run.spends:
            say(f"left out: {strategy.name} at {budget}, which has no clips for {run.selects}")
        elif run.name not in names:
            names.add(run.name)
            yield run
