"""`slubench data list`, `data check` and `data prepare`."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from slubench.cli.command import Command
from slubench.cli.options import (
    CorporaOption,
    EditionOption,
    HomeOption,
    JsonOption,
    ModelOption,
    print_json,
    progress,
    say,
)
from slubench.cli.printed_table import plain_console
from slubench.errors import MissingError, SlubenchError

if TYPE_CHECKING:
    from slubench.data.check.task_splits import TaskSplit
    from slubench.data.editions import Edition
    from slubench.data.prepare import Prepared
    from slubench.data.source import Source
    from slubench.pipeline.context import Context

app = typer.Typer(name="data", help="List, check and download corpora.")

TaskArgument = Annotated[
    str | None,
    typer.Argument(metavar="[TASK]", help="Only the corpora of this task; see `slubench list tasks`."),
]


@app.command("list", cls=Command)
def list_(
    task: TaskArgument = None,
    edition: EditionOption = "auto",
    corpora: CorporaOption = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the parts of the corpora: available or missing, size, licence, and how to get them."""
    from slubench.data.check.holdings import holdings
    from slubench.pipeline.context import open_context

    context = open_context(home=home, corpora=corpora, say=say, progress=progress)
    chosen = context.choose_edition(edition)
    found = list(holdings(_parts(task, chosen, context), context.source(chosen.name)))
    if as_json:
        print_json([asdict(holding) for holding in found])
        return
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in ("part", "for", "state", "rows", "published", "MB", "licence"):
        table.add_column(
            column, no_wrap=column == "part", justify="right" if column in ("rows", "MB") else "left"
        )
    for each in found:
        rows = "" if each.rows is None else f"{each.rows:,}"
        published = "" if each.published is None else f"{each.published:,}"
        size = f"{each.size / 1e6:,.1f}" if each.files else ""
        table.add_row(each.part, each.purpose, each.state, rows, published, size, each.licence)
    console = plain_console()
    console.print(table)
    for remedy in dict.fromkeys(each.remedy for each in found if each.remedy):
        console.print(f"- {remedy}", soft_wrap=True)
    for terms in dict.fromkeys(f"{e.licence}: {e.terms} {e.home_page}" for e in found):
        console.print(terms, style="dim", soft_wrap=True)


@app.command("check", cls=Command)
def check(
    task: TaskArgument = None,
    edition: EditionOption = "auto",
    model: ModelOption = None,
    corpora: CorporaOption = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Read every available row and clip and report all problems; exit 3 if there are any.

    The report is written as JSON and as text. Without TASK, parts that are missing are skipped.
    """
    from slubench.data.check.holdings import holdings
    from slubench.data.check.rows import inspect
    from slubench.pipeline.context import open_context
    from slubench.runtime.files import write_text

    context = open_context(home=home, corpora=corpora, say=say, progress=progress)
    chosen = context.choose_edition(edition)
    source, parts = context.source(chosen.name), _parts(task, chosen, context)
    named = context.model(model, chosen)
    if task is None:
        states = {holding.part: holding.state for holding in holdings(parts, source)}
        parts = [part for part in parts if states[str(part)] != "missing"]
    if not parts:
        raise MissingError("No corpus was found; `slubench data list` explains how to get them.")
    report = inspect(parts, source, named.sampling_rate, named.max_seconds, progress)
    path = context.home.reports / f"{task or 'all'}-{chosen.name}.json"
    write_text(path, json.dumps(report.to_json(), indent=1, ensure_ascii=False) + "\n")
    write_text(path.with_suffix(".txt"), report.to_text())
    if as_json:
        print_json(report.to_json())
    else:
        print(report.to_text(most=5), end="")
    say(f"full report: {path} and {path.with_suffix('.txt').name}")
    if report.problems:
        raise typer.Exit(3)


@app.command("prepare", cls=Command)
def prepare(
    task: TaskArgument = None,
    edition: EditionOption = "auto",
    model: ModelOption = None,
    corpora: CorporaOption = None,
    home: HomeOption = None,
    workers: Annotated[
        int | None,
        typer.Option(
            "--workers", envvar="SLUBENCH_WORKERS", min=0, help="Number of processes. Default: one per core."
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Download a task's corpora, then decode and resample every clip once for the model.

    Run it again to resume after an interruption. Without TASK nothing is downloaded, and the
    available clips are decoded.
    """
    from slubench.data.prepare import find_or_fetch
    from slubench.data.prepare import prepare as prepare_part
    from slubench.pipeline.context import open_context

    if corpora is not None:
        corpora.mkdir(parents=True, exist_ok=True)
    context = open_context(home=home, corpora=corpora, say=say, progress=progress)
    chosen = context.choose_edition(edition)
    source, store = context.source(chosen.name), context.clips(context.model(model, chosen))
    failed: list[str] = []
    done: list[Prepared] = []
    for part in _parts(task, chosen, context):
        try:
            if task is None and not _is_here(part, source):
                continue
            shards = find_or_fetch(part, source, progress)
            prepared = prepare_part(shards, store, workers, progress)
        except SlubenchError as error:
            if part.purpose == "target":
                say(f"{part}: not prepared (only needed for --target): {error}")
                continue
            failed.append(f"{part}: {error}")
            say(failed[-1])
            continue
        done.append(prepared)
        unusable = f", {len(prepared.rejected):,} unusable" if prepared.rejected else ""
        say(f"{prepared.part}: {prepared.rows:,} rows, {prepared.clips:,} clips{unusable}")
    if as_json:
        told = [asdict(each) | {"rejected": [str(row) for row in each.rejected]} for each in done]
        print_json({"prepared": told, "failed": failed})
    if failed or any(each.rejected for each in done):
        say("`slubench data check` shows the problems row by row")
    if failed:
        raise typer.Exit(1)


def _parts(task: str | None, edition: Edition, context: Context) -> list[TaskSplit]:
    """The parts of a task's corpora, or of all that the edition has."""
    from slubench.data.check.task_splits import parts_of

    return parts_of([context.task(task, edition)] if task is not None else context.offered(edition))


def _is_here(part: TaskSplit, source: Source) -> bool:
    from slubench.data.check.holdings import holdings

    return next(iter(holdings([part], source))).state == "here"
