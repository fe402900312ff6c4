"""A grid, and its runs."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from slubench.domain.budget import Budget
from slubench.domain.model import Model
from slubench.domain.peft_method import TRACKS, every_track
from slubench.domain.run import Run
from slubench.domain.selection import SELECTIONS
from slubench.domain.strategy import Strategy
from slubench.domain.target import TARGETS
from slubench.domain.task import Task
from slubench.errors import unknown
from slubench.registry import Registry
from slubench.trainset.train_set import needs_speech


@dataclass(frozen=True, kw_only=True)
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

    tasks: Sequence[str]
    strategies: Sequence[str]
    budgets: Sequence[str]
    targets: Sequence[str]
    seeds: Sequence[tuple[int, int]]
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


@dataclass(frozen=True, kw_only=True)
class LocatedModel:
    """A model that a grid trains.

    Attributes:
        name: As it was given; empty for the edition's default.
        model: The model, its weights located.
        weights: Commit or digest of the weights.
        engine: Its engine.
    """

    name: str
    model: Model
    weights: str
    engine: str


@dataclass(frozen=True, kw_only=True)
class GridCell:
    """One combination of a grid as text, so that another process makes the same run of it.

    Attributes:
        task: Name.
        strategy: Name or file.
        speech: The budget.
        target: Condition on target data.
        data_seed: Draws the clips.
        train_seed: Draws the rest.
        track: Which parts of the model are trained.
        selection: Which weights count.
    """

    task: str
    strategy: str
    speech: str
    target: str
    data_seed: int
    train_seed: int
    track: str
    selection: str

    def run(self, registry: Registry, edition: str, located: LocatedModel) -> Run:
        """The run of this combination."""
        strategy = registry.strategy(self.strategy)
        return Run(
            task=registry.task(self.task),
            strategy=strategy,
            budget=dataclasses.replace(Budget.parse(self.speech), target=self.target),
            model=located.model,
            weights=located.weights,
            track=self.track,
            data_seed=self.data_seed,
            train_seed=self.train_seed,
            edition=edition,
            selection=self.selection,
            strategy_origin=registry.origin(strategy),
        )

    def to_json(self) -> dict[str, Any]:
        """A dictionary that the class takes as arguments."""
        return dataclasses.asdict(self)


class GridRun(NamedTuple):
    """A run of a grid.

    Attributes:
        run: The run.
        cell: Its combination as text.
        located: Its model.
    """

    run: Run
    cell: GridCell
    located: LocatedModel


def declare(grid: Grid, registry: Registry) -> Declared:
    """Look up the names of a grid.

    Raises:
        UsageError: A name is not known, or the only combination is impossible.
    """
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
    if grid.track not in every_track():
        raise unknown("track", grid.track, TRACKS)
    if grid.selection not in SELECTIONS:
        raise unknown("selection", grid.selection, SELECTIONS)
    return declared


def cells_of(grid: Grid) -> list[GridCell]:
    """Every combination of a grid."""
    combinations = itertools.product(grid.tasks, grid.strategies, grid.budgets, grid.targets, grid.seeds)
    return [
        GridCell(
            task=task,
            strategy=strategy,
            speech=speech,
            target=target,
            data_seed=data_seed,
            train_seed=train_seed,
            track=grid.track,
            selection=grid.selection,
        )
        for task, strategy, speech, target, (data_seed, train_seed) in combinations
    ]


def runs_of(
    grid: Grid,
    registry: Registry,
    edition: str,
    models: Sequence[LocatedModel],
    say: Callable[[str], None],
) -> list[GridRun]:
    """Every possible combination, each once; an impossible one is reported with its reason.

    Args:
        grid: What is combined.
        registry: Where names are looked up.
        edition: Name of the edition.
        models: What is trained.
        say: Told what is left out, and why.
    """
    cells = cells_of(grid)
    several = len(cells) * len(models) > 1
    found: list[GridRun] = []
    names: set[tuple[object, ...]] = set()
    said: set[str] = set()
    for located, cell in itertools.product(models, cells):
        run = cell.run(registry, edition, located)
        reason = next(_impossible(run, several), None)
        if reason is not None:
            if reason not in said:
                say(f"left out: {reason}")
                said.add(reason)
        elif (key := (run.name, run.loads)) not in names:
            names.add(key)
            found.append(GridRun(run, cell, located))
    return found


def _impossible(run: Run, several: bool) -> Iterator[str]:
    """Why a run is left out of a grid; what concerns its budget is an error where it is alone."""
    strategy, budget = run.strategy, run.budget
    if several and strategy.needs_speech and not budget.uses_speech:
        yield f"{strategy.name} at 0, because it needs speech"
    if budget.target not in run.task.targets:
        yield f"{run.task.name} with target data {budget.target}, which the task does not have"
    if several and SELECTIONS[run.selects].slice and not run.spends:
        yield f"{strategy.name} at {budget}, which has no clips for {run.selects}"
