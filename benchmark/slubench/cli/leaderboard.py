"""`slubench leaderboard build` and `show`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from slubench.cli.command import Command
from slubench.cli.options import HomeOption, say
from slubench.errors import unknown

app = typer.Typer(help="Build or show the leaderboard.", no_args_is_help=True, rich_markup_mode=None)


@app.command("build", cls=Command)
def build(
    home: HomeOption = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", help="Output folder. Default: HOME/leaderboard/site."),
    ] = None,
) -> None:
    """Build a static page from all scores and print its path; open it in a browser."""
    from slubench.board import build as render
    from slubench.board import find_views, score_files
    from slubench.registry import Registry
    from slubench.runtime.home import find_home
    from slubench.submission.publish.one_act import complete_published

    place = find_home(home)
    complete_published(place, say)
    metrics = Registry(place.root, say).metrics
    views = find_views(place.root, say)
    result = render(score_files(place.root), out or place.site, views=views, metrics=metrics)
    for refused in result.refused:
        say(f"left out: {refused}")
    say(f"{result.runs} runs in {result.panels} tables")
    print(result.page)


@app.command("show", cls=Command)
def show(
    task: Annotated[str | None, typer.Option("--task", help="Show only this task.")] = None,
    home: HomeOption = None,
) -> None:
    """Print the leaderboard in the terminal."""
    from rich.console import Console

    from slubench.board import panel_tables, read_scores, score_files
    from slubench.board.read.replicates import read_replicates
    from slubench.board.runs import runs_of
    from slubench.registry import Registry
    from slubench.runtime.home import find_home

    root = find_home(home).root
    reading = read_scores(score_files(root))
    for refused in reading.refused:
        say(f"left out: {refused}")
    runs = runs_of(reading.table)
    tasks = sorted({run.row["task"] for run in runs})
    if task is not None and task not in tasks:
        raise unknown("scored task", task, tasks)
    if not tasks:
        say("No run is scored yet. Start with: slubench run --task massive-de --strategy text-only")
        return
    console, replicates = Console(), read_replicates(reading.files, reading.sources)
    metrics = Registry(root).metrics
    for name in tasks if task is None else [task]:
        console.print(panel_tables([run for run in runs if run.row["task"] == name], replicates, metrics))
