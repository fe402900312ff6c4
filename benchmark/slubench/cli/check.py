"""`slubench check`."""

from __future__ import annotations

import dataclasses
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from slubench.cli.options import CorporaOption, HomeOption, JsonOption, print_json, say
from slubench.cli.printed_table import plain_console
from slubench.errors import unknown

if TYPE_CHECKING:
    from rich.table import Table

    from slubench.conformance.verdict import Verdict
    from slubench.pipeline.context import Context


def check(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME|FILE|FOLDER",
            help="A strategy, task or model; a strategy's or model's file; a checkpoint's"
            " folder or org/name on the Hub.",
        ),
    ],
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
    """Check whether a strategy, task or model meets the requirements; exit 3 if it does not.

    A strategy is read, imported and tried on 64 sentences of the mini edition: its training examples are
    composed under audit, the tiny model is trained and evaluated on 16 test sentences. Nothing is kept.

    A model is built from its config without weights. A checkpoint of at most 2 GiB in a folder is also
    trained for two updates, and its loss and replies are compared with transformers' own.
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
        print_json({**told, "requirements": shown})
    else:
        plain_console().print(_table(f"{kind} {name}, {seconds:.0f} s", verdicts))
    if failed:
        raise typer.Exit(3)


def _checked(name: str, context: Context, *, thorough: bool) -> tuple[str, list[Verdict]]:
    from slubench.conformance.model_suite import check_model
    from slubench.conformance.subject import in_file, named
    from slubench.conformance.suite import check_strategy
    from slubench.conformance.task_suite import check_task
    from slubench.data.editions import FULL, MINI
    from slubench.registry import kind_of_file
    from slubench.registry.weights import choose_model

    registry, path = context.registry, Path(name).expanduser()
    in_a_file = name.endswith(".py") or path.is_file()
    kind = kind_of_file(path).name if in_a_file else ""
    if kind == "model":
        return "model", check_model(registry.model(name), context.home.root, context.say)
    if in_a_file and kind != "task":
        subject = in_file(path, registry)
        return "strategy", check_strategy(subject, context, thorough=thorough)
    if name in registry.strategies:
        return "strategy", check_strategy(named(name, registry), context, thorough=thorough)
    if in_a_file or name in registry.tasks:
        edition = MINI if context.corpora is None else FULL
        return "task", check_task(registry.task(name), registry, context.source(edition.name))
    if name in registry.models or "/" in name or path.is_dir():
        return "model", check_model(choose_model(name, registry), context.home.root, context.say)
    known = [*registry.strategies, *registry.tasks, *registry.models]
    raise unknown("strategy, task or model", name, known, "A file or a checkpoint's folder also works.")


def _table(title: str, verdicts: list[Verdict]) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    colours = {"pass": "green", "fail": "red", "not checked": "yellow"}
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("requirement", style="bold", no_wrap=True)
    table.add_column("")
    table.add_column("found", overflow="fold")
    for verdict in verdicts:
        remedy = f"\n-> {verdict.remedy}" if verdict.remedy else ""
        mark = Text(verdict.state, style=colours[verdict.state])
        table.add_row(verdict.requirement, mark, verdict.reason + remedy)
    return table
