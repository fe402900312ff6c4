"""`slubench data list`, `data check` and `data prepare`."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

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
from slubench.errors import MissingError, SlubenchError

if TYPE_CHECKING:
    from slubench.data.check.task_splits import TaskSplit
    from slubench.data.prepare import Prepared
    from slubench.data.source import Source
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from slubench.data.check.task_splits import TaskSplit
    from slubench.data.clips import ClipStore
    from slubench.data.source import Source
    from slubench.runtime.home import Home


class Setting(NamedTuple):
    """Where and what.

    Attributes:
        home: Where things live.
        source: Where corpora are looked for.
        store: Where decoded clips go, at the rate and length that the model hears.
        parts: A task's, or those of all tasks.
    """

    home: Home
    source: Source
    store: ClipStore
    parts: list[TaskSplit]


def setting_of(
    task: str | None, edition: str, model: str | None, corpora: Path | None, home: Path | None
) -> Setting:
    """Find what a command of `slubench data` works on.

    Args:
        task: Name of a task; None for all that the edition has.
        edition: `auto`, `full` or `mini`.
        model: Whose rate and length clips are decoded at; None for the edition's own.
        corpora: A mirror, if one is named.
        home: HOME, if one is named.

    Raises:
        SlubenchError: A name is none, or the edition lacks the task.
    """
    from slubench.data.check.task_splits import parts_of
    from slubench.data.clips import ClipStore
    from slubench.data.editions import check_offered, choose, offers
    from slubench.registry import Registry
    from slubench.registry.weights import choose_model
    from slubench.runtime.digest import Digests
    from slubench.runtime.home import find_home

    place = find_home(home)
    registry = Registry(place.root)
    chosen, reason = choose(edition)
    if reason:
        say(reason)
    source = chosen.source(corpora, Digests(place.digests))
    if task is None:
        tasks = [each for each in registry.tasks.values() if source.hub or offers(source, each)]
    else:
        tasks = [registry.task(task)]
        check_offered(source, tasks[0], registry.tasks)
    named = choose_model(model or chosen.model, registry)
    store = ClipStore(place.clips, named.sampling_rate, named.max_seconds)
    return Setting(place, source, store, parts_of(tasks))


app = typer.Typer(name="data", help="What corpora are here, whether they are whole, and how to get them.")

TaskArgument = Annotated[
    str | None, typer.Argument(metavar="[TASK]", help="A task's corpora alone; see `slubench list tasks`.")
]


@app.command("list")
def list_(
    task: TaskArgument = None,
    edition: EditionOption = "auto",
    corpora: CorporaOption = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the parts of corpora: here or missing, how large, their licence, and how to get them."""
    from slubench.data.check.holdings import holdings

    setting = setting_of(task, edition, None, corpora, home)
    found = list(holdings(setting.parts, setting.source))
    if as_json:
        print_json([asdict(holding) for holding in found])
        return
    from rich import box
    from rich.console import Console
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
    console = Console(highlight=False)
    console.print(table)
    for remedy in dict.fromkeys(each.remedy for each in found if each.remedy):
        console.print(f"- {remedy}", soft_wrap=True)
    for terms in dict.fromkeys(f"{e.licence}: {e.terms} {e.home_page}" for e in found):
        console.print(terms, style="dim", soft_wrap=True)


@app.command("check")
def check(
    task: TaskArgument = None,
    edition: EditionOption = "auto",
    model: ModelOption = None,
    corpora: CorporaOption = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Read every row and clip that is here and report all that is wrong, at once; exit 3 if anything is.

    The report is written as JSON and as text beside it; parts that no TASK names and that are missing are
    passed over.
    """
    from slubench.data.check.holdings import holdings
    from slubench.data.check.rows import inspect
    from slubench.runtime.files import write_text

    setting = setting_of(task, edition, model, corpora, home)
    parts = setting.parts
    if task is None:
        states = {holding.part: holding.state for holding in holdings(parts, setting.source)}
        parts = [part for part in parts if states[str(part)] != "missing"]
    if not parts:
        raise MissingError("No part of any corpus is here; `slubench data list` says how to get them.")
    store = setting.store
    report = inspect(parts, setting.source, store.sampling_rate, store.max_seconds, progress)
    path = setting.home.reports / f"{task or 'all'}-{setting.source.name.split()[1]}.json"
    write_text(path, json.dumps(report.to_json(), indent=1, ensure_ascii=False) + "\n")
    write_text(path.with_suffix(".txt"), report.to_text())
    if as_json:
        print_json(report.to_json())
    else:
        print(report.to_text(most=5), end="")
    say(f"{path} and {path.with_suffix('.txt').name} tell all of it")
    if report.problems:
        raise typer.Exit(3)


@app.command("prepare")
def prepare(
    task: TaskArgument = None,
    edition: EditionOption = "auto",
    model: ModelOption = None,
    corpora: CorporaOption = None,
    home: HomeOption = None,
    workers: Annotated[
        int | None,
        typer.Option("--workers", envvar="SLUBENCH_WORKERS", min=0, help="Processes. Default: one a core."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Fetch a task's corpora, then decode and resample every clip once for the model.

    Run it again to go on after an interruption. Without TASK nothing is fetched and what is here is decoded.
    """
    from slubench.data.prepare import find_or_fetch
    from slubench.data.prepare import prepare as prepare_part

    if corpora is not None:
        corpora.mkdir(parents=True, exist_ok=True)
    setting = setting_of(task, edition, model, corpora, home)
    failed: list[str] = []
    done: list[Prepared] = []
    for part in setting.parts:
        try:
            if task is None and not _is_here(part, setting.source):
                continue
            shards = find_or_fetch(part, setting.source, progress)
            prepared = prepare_part(shards, setting.store, workers, progress)
        except SlubenchError as error:
            if part.purpose == "target":
                say(f"{part}: not made ready, and only --target needs it: {error}")
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
        say("`slubench data check` tells what is wrong, row by row")
    if failed:
        raise typer.Exit(1)


def _is_here(part: TaskSplit, source: Source) -> bool:
    from slubench.data.check.holdings import holdings

    return next(iter(holdings([part], source))).state == "here"
