"""`slubench run` and `slubench sweep`."""

from __future__ import annotations

import dataclasses
import itertools
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from slubench.cli.options import (
    AskOption,
    CorporaOption,
    EditionOption,
    EngineOption,
    HomeOption,
    JsonOption,
    ModelOption,
    ServingOption,
    TrackOption,
    say,
    watch,
)
from slubench.errors import UsageError, unknown

if TYPE_CHECKING:
    from slubench.model import Model
    from slubench.pipeline import Machine, Outcome

TaskOption = Annotated[
    str,
    typer.Option(
        "--task", envvar="SLUBENCH_TASK", metavar="NAME", help="What is asked; see `slubench list`."
    ),
]
StrategyOption = Annotated[
    str,
    typer.Option(
        "--strategy",
        envvar="SLUBENCH_STRATEGY",
        metavar="NAME|FILE",
        help="How one trains, or a file that says.",
    ),
]
SpeechOption = Annotated[
    str,
    typer.Option(
        "--speech",
        envvar="SLUBENCH_SPEECH",
        metavar="5%|20min|230|few115|0",
        help="How much of the task's speech may be heard: a share, minutes, utterances, or the published"
        " 115. `+all-recordings` behind it buys every recording of a sentence, `+stratified` draws each"
        " intent in its share (unranked).",
    ),
]
TargetOption = Annotated[
    str,
    typer.Option(
        "--target",
        envvar="SLUBENCH_TARGET",
        metavar="none|text|text+speech|all-text|all-text+speech",
        help="For cross-lingual tasks: what of the test's language may be learnt from beside the source"
        " speech; text and speech are those of the published 115, all-text is all of MASSIVE's.",
    ),
]
SeedOption = Annotated[
    int | None, typer.Option("--seed", envvar="SLUBENCH_SEED", min=0, help="Sets both seeds.")
]
DataSeedOption = Annotated[
    int, typer.Option("--data-seed", envvar="SLUBENCH_DATA_SEED", min=0, help="Draws the clips.")
]
TrainSeedOption = Annotated[
    int, typer.Option("--train-seed", envvar="SLUBENCH_TRAIN_SEED", min=0, help="Draws the rest.")
]


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
    ask: AskOption = "speech,text",
    home: HomeOption = None,
    corpora: CorporaOption = None,
    as_json: JsonOption = False,
) -> None:
    """Train an adapter with a strategy, ask it the task's test, score the answers.

    Running the same command again resumes, or says at once that all is there.
    """
    both = seed is not None
    seeds = [(seed or 0, seed or 0)] if both else [(data_seed, train_seed)]
    _perform(
        [task],
        [strategy],
        [speech],
        [target],
        seeds,
        model,
        edition,
        engine,
        serving,
        track,
        ask,
        home,
        corpora,
        as_json,
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
    _perform(
        task.split(","),
        strategy.split(","),
        speech.split(","),
        target.split(","),
        [(number, number) for number in numbers],
        model,
        edition,
        engine,
        serving,
        track,
        ask,
        home,
        corpora,
        as_json,
    )


def _perform(
    tasks: list[str],
    strategies: list[str],
    budgets: list[str],
    targets: list[str],
    seeds: list[tuple[int, int]],
    model: str | None,
    edition: str,
    engine: str,
    serving: str,
    track: str,
    ask: str,
    home: Path | None,
    corpora: Path | None,
    as_json: bool,
) -> None:
    from slubench import engines
    from slubench.budget import Budget
    from slubench.digest import Digests
    from slubench.editions import check_offered, choose
    from slubench.home import find_home
    from slubench.lessons import needs_speech
    from slubench.model import TRACKS
    from slubench.pipeline import Machine, perform
    from slubench.registry import Registry
    from slubench.run import Run
    from slubench.target import TARGETS
    from slubench.weights import choose_model, locate

    place = find_home(home)
    registry = Registry(place.root)
    named_tasks = [registry.task(name) for name in tasks]
    named_strategies = [registry.strategy(name) for name in strategies]
    for target in targets:
        if target not in TARGETS:
            raise unknown("target data", target, TARGETS)
    parsed = [
        dataclasses.replace(Budget.parse(budget), target=target) for budget in budgets for target in targets
    ]
    alone = len(tasks) == len(strategies) == len(parsed) == 1
    if alone:
        named_tasks[0].check_target(parsed[0].target)
    if len(strategies) == len(parsed) == 1 and named_strategies[0].needs_speech and not parsed[0].hears:
        raise needs_speech(named_strategies[0], parsed[0])
    if track not in TRACKS:
        raise unknown("track", track, TRACKS)
    if serving not in ("auto", "live", "merged"):
        raise unknown("serving", serving, ("auto", "live", "merged"))
    chosen, reason = choose(edition)
    if reason:
        say(reason)
    digests = Digests(place.digests)
    declared = choose_model(model or chosen.model, registry)
    declared.recipe(track)
    ways = _ways(ask, declared)
    named_engine = engines.resolve(engine)
    source = chosen.source(corpora, digests)
    for task in named_tasks:
        check_offered(source, task, registry.tasks)
    machine = Machine(place, source, named_engine, serving, say, watch, ways)
    located, weights = locate(declared, digests)
    combinations = list(itertools.product(named_tasks, named_strategies, parsed, seeds))
    runs, names = [], set()
    for task, strategy, budget, (data_seed, train_seed) in combinations:
        planned = Run(
            task=task,
            strategy=strategy,
            budget=budget,
            model=located,
            weights=weights,
            track=track,
            data_seed=data_seed,
            train_seed=train_seed,
            edition=chosen.name,
            strategy_origin=registry.origin(strategy),
        )
        if len(combinations) > 1 and strategy.needs_speech and not budget.hears:
            say(f"left out: {strategy.name} at 0, because it learns from speech")
        elif budget.target not in task.targets:
            say(f"left out: {task.name} with target data {budget.target}, which it does not know")
        elif planned.name not in names:
            names.add(planned.name)
            runs.append(planned)
    _report(perform(runs, machine), machine, as_json)


def _ways(ask: str, model: Model) -> tuple[str, ...]:
    from slubench.answers import ASKED, WAYS
    from slubench.prompt import OWN_ASKED, transcription

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
        print(json.dumps(rows, default=str, ensure_ascii=False))
        return
    from rich.console import Console

    from slubench.board.terminal import result_table

    Console().print(result_table(rows))
    for outcome in outcomes:
        took = "found" if outcome.cached else f"{outcome.seconds:.0f} s"
        say(f"{outcome.scores} ({took})")
