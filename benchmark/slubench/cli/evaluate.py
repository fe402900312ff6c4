"""`slubench evaluate`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from slubench.cli.options import (
    BatchSizeOption,
    CorporaOption,
    EditionOption,
    EngineOption,
    HomeOption,
    InputsOption,
    JsonOption,
    LimitOption,
    ModelOption,
    ServingOption,
    TaskOption,
    print_json,
    progress,
    say,
)
from slubench.cli.printed_table import plain_console
from slubench.cli.spellings import inputs_of
from slubench.errors import UsageError


def evaluate(
    adapter: Annotated[
        Path,
        typer.Option("--adapter", metavar="DIR", help="An adapter trained elsewhere, as peft saves it."),
    ],
    task: TaskOption,
    model: ModelOption = None,
    edition: EditionOption = "auto",
    engine: EngineOption = "auto",
    serving: ServingOption = "auto",
    inputs: InputsOption = "speech,text",
    limit: LimitOption = None,
    batch_size: BatchSizeOption = None,
    home: HomeOption = None,
    corpora: CorporaOption = None,
    as_json: JsonOption = False,
) -> None:
    """Evaluate a LoRA adapter that was trained elsewhere on a task's test set.

    Without --model the base model is the one that the adapter's config names. Its scores are kept in
    HOME/evaluations, apart from those of strategies: no ranking contains them, since what it was trained on
    is not known.
    """
    from slubench.data.splits import find_test
    from slubench.domain.prompt import ASR_INPUT
    from slubench.pipeline.context import engine_for, open_context
    from slubench.pipeline.evaluate import evaluate as evaluated
    from slubench.pipeline.evaluate import model_of
    from slubench.pipeline.outside_adapter import read_outside
    from slubench.pipeline.score import metrics_for

    wanted = inputs_of(inputs, None)
    if ASR_INPUT in wanted:
        raise UsageError(
            "--inputs asr is for runs: an adapter trained elsewhere is evaluated on speech and text."
        )
    found = read_outside(adapter)
    context = open_context(
        home=home,
        corpora=corpora,
        engine=engine,
        serving=serving,
        inputs=wanted,
        batch_size=batch_size or 0,
        say=say,
        progress=progress,
    )
    chosen = context.choose_edition(edition)
    declared = context.task(task, chosen)
    base = model_of(found, model, context.registry)
    context = replace(context, engine=engine_for(base, engine))
    test = find_test(declared, context.source(chosen.name, limit or 0))
    metrics = {one.name: one for one in metrics_for(declared, context.registry.metrics)}
    done = evaluated(found, declared, test, context.locate(base), list(metrics.values()), context)
    if as_json:
        reports = [report.to_json(full=False) for report in done.reports]
        print_json({**done.facts, "folder": str(done.folder), "reports": reports})
        return

    from slubench.cli.score_tables import tables

    console = plain_console()
    for report in done.reports:
        for table in tables(report, done.place, metrics, full=False):
            console.print(table)
    console.print(f"kept in {done.folder}; trained elsewhere, so in no ranking", style="dim")
