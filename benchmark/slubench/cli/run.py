"""`slubench run` and `slubench sweep`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from slubench.cli.grid import Wanted, declare, runs_of
from slubench.cli.options import (
    AskOption,
    CorporaOption,
    DataSeedOption,
    EditionOption,
    EngineOption,
    HomeOption,
    JsonOption,
    ModelOption,
    SeedOption,
    SelectionOption,
    ServingOption,
    SpeechOption,
    StrategyOption,
    TargetOption,
    TaskOption,
    TrackOption,
    TrainSeedOption,
    print_json,
    progress,
    say,
)
from slubench.errors import UsageError, unknown

if TYPE_CHECKING:
    from slubench.domain.model import Model
    from slubench.pipeline.context import Machine
    from slubench.pipeline.run import Outcome


def perform_wanted(wanted: Wanted) -> None:
    """Train, ask and score every combination, and show the scores.

    Raises:
        UsageError: Something is asked for that there is not.
        SlubenchError: A run cannot be done.
    """
    from slubench.data.editions import check_offered, choose
    from slubench.pipeline.context import Machine
    from slubench.pipeline.failures import FailedRuns
    from slubench.pipeline.run import perform
    from slubench.registry import Registry
    from slubench.registry.weights import choose_model, locate
    from slubench.runtime import engines
    from slubench.runtime.digest import Digests
    from slubench.runtime.home import find_home

    place = find_home(wanted.home)
    registry = Registry(place.root)
    declared = declare(wanted, registry)
    chosen, reason = choose(wanted.edition)
    if reason:
        say(reason)
    digests = Digests(place.digests)
    model = choose_model(wanted.model or chosen.model, registry)
    model.recipe(wanted.track)
    ways = _ways(wanted.ask, model)
    engine = engines.resolve(wanted.engine)
    source = chosen.source(wanted.corpora, digests)
    for task in declared.tasks:
        check_offered(source, task, registry.tasks)
    machine = Machine(place, source, engine, wanted.serving, say, progress, ways)
    located, weights = locate(model, digests)
    runs = list(runs_of(wanted, declared, registry, chosen.name, located, weights))
    try:
        outcomes = perform(runs, machine)
    except FailedRuns as failed:
        _report(list(failed.outcomes), machine, wanted.as_json)
        raise
    _report(outcomes, machine, wanted.as_json)


def _ways(ask: str, model: Model) -> tuple[str, ...]:
    from slubench.domain.prompt import OWN_ASKED, transcription
    from slubench.scoring.predictions import ASKED, WAYS

    named = ask.split(",")
    for way in named:
        if way not in WAYS:
            raise unknown("way of asking", way, WAYS)
    if not set(ASKED) <= set(named):
        raise UsageError(f"--ask {ask}: speech and text are always asked; the table needs both.")
    if OWN_ASKED in named:
        transcription(model)
    return tuple(way for way in WAYS if way in named)


def _report(outcomes: list[Outcome], machine: Machine, as_json: bool) -> None:
    import pyarrow.parquet as pq

    rows: list[dict[str, Any]] = []
    for outcome in outcomes:
        for row in pq.read_table(outcome.scores).to_pylist():
            rows.append({**row, "cached": outcome.cached})
    if as_json:
        print_json(rows)
        return
    from rich.console import Console

    from slubench.board.terminal import result_table

    Console().print(result_table(rows))
    for outcome in outcomes:
        took = "found" if outcome.cached else f"{outcome.seconds:.0f} s"
        say(f"{outcome.scores} ({took})")


def run(
    task: TaskOption,
    strategy: StrategyOption,
    model: ModelOption = None,
    speech: SpeechOption = "5%",
    target: TargetOption = "none",
    data_seed: DataSeedOption = 0,
    train_seed: TrainSeedOption = 0,
    seed: SeedOption = None,
    edition: EditionOption = "auto",
    engine: EngineOption = "auto",
    serving: ServingOption = "auto",
    track: TrackOption = "lora-lm",
    selection: SelectionOption = "last",
    ask: AskOption = "speech,text",
    home: HomeOption = None,
    corpora: CorporaOption = None,
    as_json: JsonOption = False,
) -> None:
    """Train an adapter with a strategy, ask it the task's test, score the answers.

    Running the same command again resumes, or says at once that all is there.
    """
    perform_wanted(
        Wanted(
            tasks=[task],
            strategies=[strategy],
            budgets=[speech],
            targets=[target],
            seeds=[(data_seed, train_seed) if seed is None else (seed, seed)],
            model=model,
            edition=edition,
            engine=engine,
            serving=serving,
            track=track,
            selection=selection,
            ask=ask,
            home=home,
            corpora=corpora,
            as_json=as_json,
        )
    )


def sweep(
    task: TaskOption,
    strategy: StrategyOption,
    model: ModelOption = None,
    speech: SpeechOption = "5%",
    target: TargetOption = "none",
    seeds: Annotated[str, typer.Option("--seeds", envvar="SLUBENCH_SEEDS", help="As in 0,1,2.")] = "0",
    edition: EditionOption = "auto",
    engine: EngineOption = "auto",
    serving: ServingOption = "auto",
    track: TrackOption = "lora-lm",
    selection: SelectionOption = "last",
    ask: AskOption = "speech,text",
    home: HomeOption = None,
    corpora: CorporaOption = None,
    as_json: JsonOption = False,
) -> None:
    """Perform every combination of comma-separated tasks, strategies, budgets, target data and seeds.

    All adapters of one model are asked in one engine. What is there already is not done again; what a
    budget of 0 does not allow, and target data that a task does not know, is left out, with its reason.
    """
    try:
        numbers = [int(number) for number in seeds.split(",")]
    except ValueError:
        raise UsageError(f"--seeds {seeds!r}: expected whole numbers, as in 0,1,2.") from None
    perform_wanted(
        Wanted(
            tasks=task.split(","),
            strategies=strategy.split(","),
            budgets=speech.split(","),
            targets=target.split(","),
            seeds=[(number, number) for number in numbers],
            model=model,
            edition=edition,
            engine=engine,
            serving=serving,
            track=track,
            selection=selection,
            ask=ask,
            home=home,
            corpora=corpora,
            as_json=as_json,
        )
    )
