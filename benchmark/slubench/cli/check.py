"""`slubench check`."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from slubench.cli.options import CorporaOption, HomeOption, JsonOption, print_json, say
from slubench.errors import unknown

if TYPE_CHECKING:
    from rich.table import Table

    from slubench.conformance.suite import Setting
    from slubench.conformance.verdict import Verdict
    from slubench.registry import Registry


def check(
    name: Annotated[str, typer.Argument(metavar="NAME|FILE", help="A strategy, its file, or a task.")],
    thorough: Annotated[
        bool, typer.Option("--thorough", help="Learn and ask the whole mini edition too: many minutes.")
    ] = False,
    engine: Annotated[
        str,
        typer.Option(
            "--engine", envvar="SLUBENCH_ENGINE", metavar="auto|vllm|transformers", help="What answers."
        ),
    ] = "transformers",
    home: HomeOption = None,
    corpora: CorporaOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check that a strategy or task holds to what every declaration must; exit 3 where it does not.

    A strategy is read, imported, and rehearsed on 64 sentences of the mini edition: its lessons are composed
    under audit, it is trained with the tiny model and asked 16 test sentences. Nothing is kept.
    """
    from slubench.conformance.suite import Setting
    from slubench.conformance.verdict import FAIL
    from slubench.registry import Registry
    from slubench.runtime import engines
    from slubench.runtime.home import find_home

    registry = Registry(find_home(home).root)
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="slubench-check-") as folder:
        setting = Setting(Path(folder).resolve(), engines.resolve(engine), thorough, say)
        kind, verdicts = _checked(name, registry, setting, corpora)
    seconds = time.monotonic() - started
    failed = sum(verdict.state == FAIL for verdict in verdicts)
    if as_json:
        told = {"name": name, "kind": kind, "passed": not failed, "seconds": round(seconds, 1)}
        shown = [verdict._asdict() for verdict in verdicts]
        print_json({**told, "requirements": shown})
    else:
        from rich.console import Console

        Console(highlight=False).print(_table(f"{kind} {name}, {seconds:.0f} s", verdicts))
    if failed:
        raise typer.Exit(3)


def _checked(
    name: str, registry: Registry, setting: Setting, corpora: Path | None
) -> tuple[str, list[Verdict]]:
    from slubench.conformance.subject import in_file, named
    from slubench.conformance.suite import check_strategy
    from slubench.conformance.task_suite import check_task
    from slubench.data.editions import FULL, MINI

    if name.endswith(".py") or "/" in name:
        return "strategy", check_strategy(in_file(Path(name).expanduser(), registry), setting)
    if name in registry.strategies:
        return "strategy", check_strategy(named(name, registry), setting)
    if name in registry.tasks:
        edition = MINI if corpora is None else FULL
        source = edition.source(corpora, setting.digests)
        return "task", check_task(registry.tasks[name], registry, source)
    known = [*registry.strategies, *registry.tasks]
    raise unknown("strategy or task", name, known, "A path to a strategy's file is taken too.")


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
