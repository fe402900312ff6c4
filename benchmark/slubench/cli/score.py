"""`slubench score` and `slubench rescore`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from slubench.cli.options import CorporaOption, EditionOption, HomeOption, JsonOption, print_json, say
from slubench.cli.printed_table import plain_console
from slubench.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from slubench.domain.metric import Metric
    from slubench.scoring.gold import GoldSet


def score(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="Predictions: replies, or scenario, action and entities; JSON lines, JSON, CSV or Parquet.",
        ),
    ],
    task: Annotated[
        str | None,
        typer.Option(
            "--task", envvar="SLUBENCH_TASK", metavar="NAME", help="Score against the test set of this task."
        ),
    ] = None,
    gold: Annotated[
        Path | None,
        typer.Option(
            "--gold", metavar="FILE", help="Score against this file: SLURP's test.jsonl, or MASSIVE's rows."
        ),
    ] = None,
    gold_transcripts: Annotated[
        bool,
        typer.Option(
            "--gold-transcripts",
            help="Predictions are for gold transcripts (slurp_id), not recordings.",
        ),
    ] = False,
    by: Annotated[
        list[str] | None,
        typer.Option(
            "--by", metavar="COLUMN", help="Slice by this column, such as headset or intent; can be repeated."
        ),
    ] = None,
    full: Annotated[bool, typer.Option("--full", help="Show every label, and the mean over labels.")] = False,
    edition: EditionOption = "auto",
    home: HomeOption = None,
    corpora: CorporaOption = None,
    as_json: JsonOption = False,
) -> None:
    """Score a predictions file from any system.

    An item without a prediction is skipped in the official number, as in SLURP's scorer, and wrong in the
    strict one; both are also given on normalised text, which is what is ranked.
    """
    from slubench.metrics import SCORER_VERSION
    from slubench.scoring.external import read_predictions
    from slubench.scoring.gold_files import gold_of_file
    from slubench.scoring.score_file import score_file

    if (task is None) == (gold is None):
        raise UsageError("Specify what to score against: --task NAME or --gold FILE.")
    if gold_transcripts and gold is None:
        raise UsageError(
            "--gold-transcripts only applies to --gold FILE; the items of a task have their own ids."
        )
    wanted = list(dict.fromkeys(name for part in by or [] for name in part.split(",")))
    if gold is not None:
        truth = gold_of_file(gold, gold_transcripts=gold_transcripts)
    else:
        truth = _of_task(task or "", edition, home, corpora, lengths="length" in wanted)
    metrics = _metrics(task, home)
    reports = score_file(read_predictions(file, truth.keys), truth, metrics.values(), wanted)
    for report in reports:
        if report.odd_entities:
            say(
                f"{file}, {report.first_odd}: its entities have separate keys for type and filler,"
                ' but the type must be the key, as in {"time": "eight"}. This counts as wrong in'
                f" {report.odd_entities:,} replies; only the lenient reading accepts it."
            )
    if as_json:
        content = {"file": str(file), "gold": truth.place, "scorer_version": SCORER_VERSION}
        found = [report.to_json(full=full) for report in reports]
        print_json(content | {"reports": found})
        return

    from slubench.cli.score_tables import tables

    console = plain_console()
    for report in reports:
        for table in tables(report, truth.place, metrics, full=full):
            console.print(table)


def rescore(
    runs: Annotated[list[str] | None, typer.Argument(help="Names of scored runs. Default: all.")] = None,
    home: HomeOption = None,
    corpora: CorporaOption = None,
    as_json: JsonOption = False,
) -> None:
    """Score existing predictions again with this version's scorer. No model is loaded."""
    from slubench.pipeline.context import open_context
    from slubench.pipeline.rescore import rescore_runs

    done = rescore_runs(runs or [], open_context(home=home, corpora=corpora, say=say))
    if as_json:
        print_json([one._asdict() for one in done])
        return
    for one in done:
        print(f"{one.scores}  {one.before} -> {one.after}")


def _metrics(task: str | None, home: Path | None) -> Mapping[str, Metric]:
    from slubench.pipeline.score import metrics_for
    from slubench.registry import Registry
    from slubench.runtime.home import find_home

    registry = Registry(find_home(home).root)
    if task is None:
        return registry.metrics
    return {metric.name: metric for metric in metrics_for(registry.task(task), registry.metrics)}


def _of_task(task: str, edition: str, home: Path | None, corpora: Path | None, *, lengths: bool) -> GoldSet:
    from slubench.data.splits import find_test
    from slubench.pipeline.context import open_context
    from slubench.scoring.gold_tasks import gold_of_task

    context = open_context(home=home, corpora=corpora, say=say)
    chosen = context.choose_edition(edition)
    return gold_of_task(find_test(context.task(task, chosen), context.source(chosen.name)), lengths=lengths)
