"""`slubench check`."""

from __future__ import annotations

import dataclasses
import json
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from slubench.cli.options import CorporaOption, HomeOption, JsonOption, say
from slubench.errors import unknown

if TYPE_CHECKING:
    from rich.table import Table

    from slubench.conformance.verdict import Verdict
    from slubench.pipeline.context import Context


def check(
    name: Annotated[str, typer.Argument(metavar="NAME|FILE", help="A strategy or task, or the file of one.")],
    thorough: Annotated[
        bool,
        typer.Option("--thorough", help="Also train and evaluate on the whole mini edition: many minutes."),
    ] = False,
    engine: Annotated[
        str,
        typer.Option(
            "--engine", envvar="SLUBENCH_ENGINE", metavar="auto|vllm|transformers", help="Inference engine."
        ),
    ] = "transformers",
    home: HomeOption = None,
    corpora: CorporaOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check that a strategy or task meets the requirements on declarations; exit 3 where it does not.

    A strategy is read, imported and tried on 64 sentences of the mini edition: its training examples are
    composed under audit, the tiny model is trained and evaluated on 16 test sentences. Nothing is kept.
    """
    from slubench.conformance.verdict import FAIL
    from slubench.pipeline.context import open_context
    from slubench.runtime.home import Home

    context = open_context(home=home, corpora=corpora, engine=engine, say=say)
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="slubench-check-") as folder:
        context = dataclasses.replace(context, home=Home(Path(folder).resolve()))
        kind, verdicts = _checked(name, context, thorough=thorough)
    seconds = time.monotonic() - started
    failed = sum(verdict.state == FAIL for verdict in verdicts)
    if as_json:
        told = {"name": name, "kind": kind, "passed": not failed, "seconds": round(seconds, 1)}
        shown = [verdict._asdict() for verdict in verdicts]
        print(json.dumps({**told, "requirements": shown}, ensure_ascii=False))
    else:
        from rich.console import Console

        Console(highlight=False).print(_table(f"{kind} {name}, {seconds:.0f} s", verdicts))
    if failed:
        raise typer.Exit(3)


def _checked(name: str, context: Context, *, thorough: bool) -> tuple[str, list[Verdict]]:
    from slubench.conformance.subject import in_file, named
    from slubench.conformance.suite import check_strategy
    from slubench.conformance.task_suite import check_task
    from slubench.data.editions import FULL, MINI
    from slubench.registry import kind_of_file

    registry = context.registry
    in_a_file = name.endswith(".py") or "/" in name
    if in_a_file and kind_of_file(Path(name).expanduser()).name != "task":
        subject = in_file(Path(name).expanduser(), registry)
        return "strategy", check_strategy(subject, context, thorough=thorough)
    if name in registry.strategies:
        return "strategy", check_strategy(named(name, registry), context, thorough=thorough)
    if in_a_file or name in registry.tasks:
        edition = MINI if context.corpora is None else FULL
        return "task", check_task(registry.task(name), registry, context.source(edition.name))
    known = [*registry.strategies, *registry.tasks]
    raise unknown("strategy or task", name, known, "A path to a strategy's file also works.")


def _table(title: str, verdicts: list[Verdict]) -> Table:
    from rich import box
    from rich.markup import escape
    from rich.table import Table

    colours = {"pass": "green", "fail": "red", "not checked": "yellow"}
    table = Table(title=escape(title), title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("requirement", style="bold", no_wrap=True)
    table.add_column("")
    table.add_column("found", overflow="fold")
    for verdict in verdicts:
        remedy = f"\n-> {verdict.remedy}" if verdict.remedy else ""
        mark = f"[{colours[verdict.state]}]{verdict.state}[/]"
        table.add_row(verdict.requirement, mark, escape(verdict.reason + remedy))
    return table
