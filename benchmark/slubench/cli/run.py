"""`slubench run` and `slubench sweep`."""

from __future__ import annotations

from typing import Annotated

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
)
from slubench.cli.performing import perform_wanted
from slubench.cli.run_options import (
    DataSeedOption,
    SeedOption,
    SelectionOption,
    SpeechOption,
    StrategyOption,
    TargetOption,
    TaskOption,
    TrainSeedOption,
)
from slubench.cli.wanted import Wanted
from slubench.errors import UsageError


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
