"""`slubench run`."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

from slubench.cli.command import Command
from slubench.cli.options import (
    BatchSizeOption,
    CellOptions,
    DataSeedOption,
    LimitOption,
    PerformOptions,
    SeedOption,
    TrainSeedOption,
    progress,
    say,
)
from slubench.cli.run_results import SERVING, report
from slubench.cli.spellings import inputs_of, selection_of
from slubench.cli.unpacked import unpacked
from slubench.domain.peft_method import with_method
from slubench.errors import UsageError, unknown


class RunCommand(Command):
    """`run`, which takes one seed."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the arguments; a list of seeds is met with `sweep`."""
        for option, value in itertools.pairwise([*(part for one in args for part in one.split("=", 1)), ""]):
            if option == "--seeds" or (option.endswith("-seed") and "," in value):
                raise UsageError(
                    f"run takes one --seed, not {option} {value}. For several: slubench sweep --seeds {value}"
                )
        return super().parse_args(ctx, args)


@unpacked
def run(
    *,
    cell: CellOptions,
    data_seed: DataSeedOption = 0,
    train_seed: TrainSeedOption = 0,
    seed: SeedOption = None,
    limit: LimitOption = None,
    batch_size: BatchSizeOption = None,
    how: PerformOptions,
) -> None:
    """Train an adapter with a strategy and evaluate it on the test's audio and on its transcripts.

    Existing results are reused: the same command run again resumes, or prints the scores at once.
    """
    from slubench.domain.prompt import ASR_INPUT, transcription
    from slubench.pipeline.context import engine_for, open_context
    from slubench.pipeline.preflight import check_before_fetching
    from slubench.pipeline.run import perform
    from slubench.sweep.grid import Grid, LocatedModel, declare, runs_of

    if how.serving not in SERVING:
        raise unknown("serving", how.serving, SERVING)
    context = open_context(
        home=how.home,
        corpora=how.corpora,
        engine=how.engine,
        serving=how.serving,
        inputs=inputs_of(how.inputs, how.ask),
        batch_size=batch_size or 0,
        say=say,
        progress=progress,
    )
    grid = Grid(
        tasks=[cell.task],
        strategies=[cell.strategy],
        budgets=[cell.speech],
        targets=[cell.target],
        seeds=[(data_seed, train_seed) if seed is None else (seed, seed)],
        track=with_method(how.track, how.peft),
        selection=selection_of(how.selection),
    )
    declared = declare(grid, context.registry)
    edition = context.choose_edition(how.edition)
    context.task(cell.task, edition)
    chosen = context.model(cell.model, edition)
    chosen.recipe(grid.track)
    context = replace(context, engine=engine_for(chosen, how.engine))
    if ASR_INPUT in context.inputs:
        transcription(chosen)
    check_before_fetching(chosen, grid.track, *declared, edition.name, context, limit or 0)
    located, weights = context.locate(chosen)
    model = LocatedModel(name=cell.model or "", model=located, weights=weights, engine=context.engine)
    runs = runs_of(grid, context.registry, edition.name, [model], say)
    if limit:
        say(f"smoke run on the first {limit} utterances of each split; its scores are never ranked")
    wanted = [replace(one.run, limit=limit or 0) for one in runs]
    report(perform(wanted, context), context, how.as_json)
