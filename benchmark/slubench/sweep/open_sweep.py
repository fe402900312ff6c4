"""Opens a sweep: from the values of its options to planned runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from slubench.data.editions import Edition
from slubench.domain.model import Model
from slubench.domain.prompt import ASR_INPUT, transcription
from slubench.errors import MissingError, SlubenchError, UsageError
from slubench.pipeline.context import Context, engine_for, open_context
from slubench.pipeline.preflight import check_before_fetching
from slubench.sweep.expand import is_pattern, listed, listed_files, matching, seeds_in
from slubench.sweep.grid import Declared, Grid, GridRun, LocatedModel, declare, runs_of
from slubench.sweep.share_out import plan_all
from slubench.sweep.states import RunStates
from slubench.sweep.unit import SweepSettings


@dataclass(frozen=True, kw_only=True)
class SweepValues:
    """The values of a sweep as text, from options and a grid file.

    Attributes:
        task: Names and patterns.
        strategy: Names, files and patterns.
        model: The same for models; empty for the edition's.
        speech: Budgets.
        target: Conditions on target data.
        seeds: Seeds and ranges.
        track: Which parts of the model are trained.
        selection: Which weights count.
        edition: Name of the edition, or `auto`.
        engine: Name of the engine, or `auto`.
        serving: `auto`, `live` or `merged`.
        inputs: The inputs to predict from.
    """

    task: str
    strategy: str
    model: str
    speech: str
    target: str
    seeds: str
    track: str
    selection: str
    edition: str
    engine: str
    serving: str
    inputs: tuple[str, ...]


@dataclass(frozen=True)
class OpenSweep:
    """A sweep with its runs planned.

    Attributes:
        contexts: The context of each model, by the name it was given.
        models: What is trained.
        settings: What all units share.
        states: The runs.
    """

    contexts: dict[str, Context]
    models: Sequence[LocatedModel]
    settings: SweepSettings
    states: RunStates

    @property
    def needs_gpu(self) -> bool:
        """Whether a model needs a GPU."""
        return any(one.model.needs_gpu for one in self.models)

    @property
    def context(self) -> Context:
        """The first model's context."""
        return next(iter(self.contexts.values()))


def open_sweep(
    values: SweepValues,
    home: Path | None,
    corpora: Path | None,
    checkpoints: str,
    say: Callable[[str], None],
    elsewhere: bool = False,
) -> OpenSweep:
    """Look up a sweep's names, expand its patterns, and plan its runs.

    Args:
        values: As text.
        home: HOME, if one is named.
        corpora: A mirror of the corpora, if one is named.
        checkpoints: Where checkpoints are shared; empty for nowhere.
        say: Told what is left out, and why.
        elsewhere: Whether other machines do the work: this one need not have a GPU.

    Raises:
        UsageError: A name or value is not known, or nothing is left of the grid.
        MissingError: A corpus, weights or a device is missing.
    """
    context = open_context(
        home=home,
        corpora=corpora,
        engine=values.engine,
        serving=values.serving,
        inputs=values.inputs,
        say=say,
    )
    edition = context.choose_edition(values.edition)
    grid = _grid(values, context, edition)
    declared = declare(grid, context.registry)
    models = _models(values, declared, context, edition, elsewhere)
    runs: list[GridRun] = runs_of(grid, context.registry, edition.name, models, say)
    if not runs:
        raise UsageError("Nothing is left of this grid; the lines above say why.")
    contexts = {one.name: replace(context, engine=one.engine) for one in models}
    settings = SweepSettings(
        home=str(context.home.root),
        corpora=str(corpora.expanduser().resolve()) if corpora is not None else "",
        edition=edition.name,
        serving=values.serving,
        inputs=tuple(values.inputs),
        checkpoints=checkpoints
        if "://" in checkpoints or not checkpoints
        else str(Path(checkpoints).resolve()),
    )
    return OpenSweep(contexts, models, settings, plan_all(runs, contexts))


def _grid(values: SweepValues, context: Context, edition: Edition) -> Grid:
    offered = {task.name for task in context.offered(edition)}
    names = listed("--task", values.task)
    tasks = matching("task", names, context.registry.tasks, lambda name: name in offered)
    for name in tasks:
        context.task(name, edition)
    strategies = matching(
        "strategy", listed_files("--strategy", values.strategy), context.registry.strategies
    )
    seeds = seeds_in(values.seeds)
    return Grid(
        tasks=tasks,
        # Other processes look them up too, wherever they stand.
        strategies=[str(Path(name).resolve()) if Path(name).is_file() else name for name in strategies],
        budgets=listed("--speech", values.speech),
        targets=listed("--target", values.target),
        seeds=[(seed, seed) for seed in seeds],
        track=values.track,
        selection=values.selection,
    )


def _models(
    values: SweepValues, declared: Declared, context: Context, edition: Edition, elsewhere: bool
) -> list[LocatedModel]:
    names = listed_files("--model", values.model) if values.model else [""]
    found = []
    known = matching("model", names, context.registry.models) if values.model else [""]
    for name in known:
        globbed = name not in names
        try:
            chosen = context.model(name or None, edition)
            chosen.recipe(values.track)
            if ASR_INPUT in context.inputs:
                transcription(chosen)
            engine = engine_for(chosen, values.engine)
            if not elsewhere:
                own = replace(context, engine=engine)
                check_before_fetching(chosen, values.track, *declared, edition.name, own)
            model, weights = _locate(chosen, context, elsewhere)
        except SlubenchError as error:
            if not globbed:
                raise
            context.say(f"left out: {name}: {error}")
            continue
        given = str(Path(name).resolve()) if name and Path(name).is_dir() and "/" in name else name
        found.append(LocatedModel(name=given, model=model, weights=weights, engine=engine))
    if not found:
        pattern = next(filter(is_pattern, names), values.model)
        raise MissingError(
            f"--model {pattern}: none of these models can be used here; the lines above say why."
        )
    return found


def _locate(model: Model, context: Context, elsewhere: bool) -> tuple[Model, str]:
    if not elsewhere:
        return context.locate(model)
    located, weights = context.locate(replace(model, needs_gpu=False))
    return replace(located, needs_gpu=model.needs_gpu), weights
