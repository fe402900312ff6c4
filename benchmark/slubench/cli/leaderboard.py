"""`slubench leaderboard build` and `show`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from slubench.cli.options import HomeOption, say
from slubench.errors import unknown

app = typer.Typer(help="Build or show the leaderboard.", no_args_is_help=True, rich_markup_mode=None)


@app.command("build")
def build(
    home: HomeOption = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Default: HOME/leaderboard/site.")
    ] = None,
) -> None:
    """Render the scores as a static page that opens from the disk; its path is printed."""
    from slubench.board import build as render
    from slubench.board import find_views, score_files
    from slubench.home import find_home

    place = find_home(home)
    result = render(score_files(place.root), out or place.site, views=find_views(place.root))
    for refused in result.refused:
        say(f"left out: {refused}")
    say(f"{result.runs} runs in {result.panels} tables")
    print(result.page)


@app.command("show")
def show(
    task: Annotated[str | None, typer.Option("--task", help="One task; all where it is not given.")] = None,
    home: HomeOption = None,
) -> None:
    """Print the leaderboard in the terminal."""
    from rich.console import Console

    from slubench.board import read_scores, result_table, score_files
    from slubench.home import find_home

    reading = read_scores(score_files(find_home(home).root))
    for refused in reading.refused:
        say(f"left out: {refused}")
    rows = reading.table.to_pylist()
    tasks = sorted({row["task"] for row in rows})
    if task is not None and task not in tasks:
        raise unknown("scored task", task, tasks)
    if not rows:
        say("Nothing is scored yet. Begin with: slubench run --task massive-de --strategy text-only")
        return
    console = Console()
    for name in tasks if task is None else [task]:
        console.print(result_table([row for row in rows if row["task"] == name]))
