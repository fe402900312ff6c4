"""`slubench leaderboard build`, `show` and `push`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from slubench.cli.command import Command
from slubench.cli.options import HomeOption, JsonOption, say
from slubench.cli.printed_table import plain_console
from slubench.errors import unknown

app = typer.Typer(help="Build, show or upload the leaderboard.", no_args_is_help=True, rich_markup_mode=None)

CodeOption = Annotated[
    str | None,
    typer.Option(
        "--code", metavar="URL", envvar="SLUBENCH_CODE", help="Address of the code, linked on the page."
    ),
]
DocsOption = Annotated[
    str | None,
    typer.Option(
        "--docs", metavar="URL", envvar="SLUBENCH_DOCS", help="Address of the documentation, linked likewise."
    ),
]


@app.command("build", cls=Command)
def build(
    home: HomeOption = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", help="Output folder. Default: HOME/leaderboard/site."),
    ] = None,
    code: CodeOption = None,
    docs: DocsOption = None,
) -> None:
    """Build a static page from all scores and print its path; open it in a browser."""
    print(_built(home, out, code, docs))


@app.command("push", cls=Command)
def push(
    to: Annotated[str, typer.Option("--to", metavar="OWNER/NAME", help="A Space on the Hub.")],
    public: Annotated[
        bool, typer.Option("--public", help="Make a new Space public; by default it is private.")
    ] = False,
    home: HomeOption = None,
    code: CodeOption = None,
    docs: DocsOption = None,
) -> None:
    """Build the page and upload it as a static Space; HF_TOKEN needs write access."""
    from slubench.submission.publish.push_site import push_site

    print(push_site(_built(home, None, code, docs).parent, to, public=public))


def _built(home: Path | None, out: Path | None, code: str | None, docs: str | None) -> Path:
    from slubench.board import build as render
    from slubench.board import find_views, score_files
    from slubench.board.site.links import checked_address
    from slubench.registry import Registry
    from slubench.runtime.home import find_home
    from slubench.submission.publish.one_act import complete_published

    given = {"code": code, "docs": docs}
    links = {name: checked_address(f"--{name}", value) for name, value in given.items() if value}
    place = find_home(home)
    complete_published(place, say)
    metrics = Registry(place.root, say).metrics
    views = find_views(place.root, say)
    result = render(score_files(place.root), out or place.site, views=views, metrics=metrics, links=links)
    for refused in result.refused:
        say(f"left out: {refused}")
    say(f"{result.runs} runs in {result.panels} tables")
    return result.page


@app.command("show", cls=Command)
def show(
    task: Annotated[str | None, typer.Option("--task", help="Show only this task.")] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print the leaderboard in the terminal."""
    import json

    from slubench.board import panel_tables, read_scores, score_files
    from slubench.board.panels import panels_of
    from slubench.board.read.public import public_rows
    from slubench.board.read.records import read_records
    from slubench.board.read.replicates import read_replicates
    from slubench.board.runs import runs_of
    from slubench.board.site.api import board_json
    from slubench.registry import Registry
    from slubench.runtime.home import find_home

    root = find_home(home).root
    reading = read_scores(score_files(root))
    for refused in reading.refused:
        say(f"left out: {refused}")
    runs = runs_of(public_rows(reading.table))
    tasks = sorted({run.row["task"] for run in runs})
    if task is not None and task not in tasks:
        raise unknown("scored task", task, tasks)
    metrics, replicates = Registry(root).metrics, read_replicates(reading.files, reading.sources)
    wanted = [run for run in runs if task in (None, run.row["task"])]
    if as_json:
        records = read_records(reading.files, reading.sources)
        panels = panels_of(wanted, replicates, metrics, records)
        print(json.dumps(board_json(panels), ensure_ascii=False, indent=1, allow_nan=False))
        return
    if not tasks:
        say("No run is scored yet. Start with: slubench run --task massive-de --strategy text-only")
        return
    console = plain_console()
    for name in tasks if task is None else [task]:
        console.print(panel_tables([run for run in runs if run.row["task"] == name], replicates, metrics))
