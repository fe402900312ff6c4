"""`slubench run` and `slubench sweep`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from slubench.cli.grid import Grid, declare, runs_of
from slubench.cli.options import (
    MOST_SEED,
    CellOptions,
    DataSeedOption,
    PerformOptions,
    SeedOption,
    SeedsOption,
    TrainSeedOption,
    print_json,
    progress,
    say,
)
from slubench.cli.spellings import inputs_of, selection_of
from slubench.cli.unpacked import unpacked
from slubench.domain.peft_method import with_method
from slubench.errors import UsageError, unknown

if TYPE_CHECKING:
    from slubench.pipeline.context import Context
    from slubench.pipeline.outcomes import Outcome

SERVING = ("auto", "live", "merged")


def perform_grid(grid: Grid, model: str | None, how: PerformOptions) -> None:
    """Train, predict and score every combination of a grid, and show the scores.

    Args:
        grid: What is combined.
        model: Name or folder of the model; None for the edition's default.
        how: The options of the command.

    Raises:
        UsageError: A name or value is not known.
        SlubenchError: A run cannot be done.
    """
    from slubench.domain.prompt import ASR_INPUT, transcription
    from slubench.pipeline.context import engine_for, open_context
    from slubench.pipeline.outcomes import FailedRuns
    from slubench.pipeline.preflight import check_before_fetching
    from slubench.pipeline.run import perform

    if how.serving not in SERVING:
        raise unknown("serving", how.serving, SERVING)
    context = open_context(
        home=how.home,
        corpora=how.corpora,
        engine=how.engine,
        serving=how.serving,
        inputs=inputs_of(how.inputs, how.ask),
        say=say,
        progress=progress,
    )
    declared = declare(grid, context.registry)
    edition = context.choose_edition(how.edition)
    for name in grid.tasks:
        context.task(name, edition)
    chosen = context.model(model, edition)
    chosen.recipe(grid.track)
    context = replace(context, engine=engine_for(chosen, how.engine))
    if ASR_INPUT in context.inputs:
        transcription(chosen)
    check_before_fetching(chosen, grid.track, *declared, edition.name, context)
    located, weights = context.locate(chosen)
    runs = list(runs_of(grid, declared, context.registry, edition.name, located, weights))
    try:
        outcomes = perform(runs, context)
    except FailedRuns as failed:
        _report(list(failed.outcomes), context, how.as_json)
        raise
    _report(outcomes, context, how.as_json)


def _report(outcomes: list[Outcome], context: Context, as_json: bool) -> None:
    import pyarrow.parquet as pq

    from slubench.board.read.public import public_rows

    rows: list[dict[str, Any]] = []
    for outcome in outcomes:
        for row in public_rows(pq.read_table(outcome.scores)).to_pylist():
            rows.append({**row, "cached": outcome.cached})
    if as_json:
        print_json(rows)
        return
    from rich.console import Console

    from slubench.board.terminal import result_table

    Console().print(result_table(rows, context.registry.metrics))
    for outcome in outcomes:
        took = "found" if outcome.cached else f"{outcome.seconds:.0f} s"
        say(f"{outcome.scores} ({took})")


@unpacked
def run(
    *,
    cell: CellOptions,
    data_seed: DataSeedOption = 0,
    train_seed: TrainSeedOption = 0,
    seed: SeedOption = None,
    how: PerformOptions,
) -> None:
    """Train an adapter with a strategy and evaluate it on the test's audio and on its transcripts.

    Existing results are reused: the same command run again resumes, or prints the scores at once.
    """
    seeds = [(data_seed, train_seed) if seed is None else (seed, seed)]
    perform_grid(_grid(cell, seeds, how, lambda value: [value]), cell.model, how)


@unpacked
def sweep(*, cell: CellOptions, seeds: SeedsOption = "0", how: PerformOptions) -> None:
    """Run every combination of comma-separated tasks, strategies, budgets, target data and seeds.

    All adapters of one model are evaluated in one engine. Existing results are reused. Combinations that are
    impossible, such as a strategy that needs speech at a budget of 0, are left out with the reason.
    """
    try:
        numbers = [int(number) for number in seeds.split(",")]
    except ValueError:
        raise UsageError(f"--seeds {seeds!r}: expected whole numbers, as in 0,1,2.") from None
    for number in numbers:
        if not 0 <= number <= MOST_SEED:
            raise UsageError(f"--seeds {seeds!r}: {number} is not in the range 0 to {MOST_SEED:,}.")
    pairs = [(number, number) for number in numbers]
    perform_grid(_grid(cell, pairs, how, lambda value: value.split(",")), cell.model, how)


def _grid(
    cell: CellOptions,
    seeds: list[tuple[int, int]],
    how: PerformOptions,
    split: Callable[[str], list[str]],
) -> Grid:
    return Grid(
        tasks=split(cell.task),
        strategies=split(cell.strategy),
        budgets=split(cell.speech),
        targets=split(cell.target),
        seeds=seeds,
        track=with_method(how.track, how.peft),
        selection=selection_of(how.selection),
    )
