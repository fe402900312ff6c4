"""`slubench new`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from slubench.cli.options import HomeOption, say

app = typer.Typer(no_args_is_help=True, help="Write a file to start from.")


@app.callback()
def _group() -> None:
    """Write a file to start from."""


@app.command()
def strategy(
    name: Annotated[str, typer.Argument(help="As in my-idea.")],
    to: Annotated[
        Path | None,
        typer.Option(
            "--to", metavar="DIR", help="The folder. Default: HOME/strategies, where names are found."
        ),
    ] = None,
    home: HomeOption = None,
) -> None:
    """Write a working strategy, with comments, and print its path."""
    from slubench.beginning import begin_strategy
    from slubench.home import find_home
    from slubench.registry import Registry

    place = find_home(home).root
    shelf = place / "strategies"
    folder = to.expanduser().resolve() if to is not None else shelf
    path = begin_strategy(name, folder, Registry(place).strategies)
    print(path)
    called = name if folder == shelf else path
    say(f"Edit it, then: slubench check {called}")
    say(f"and run it: slubench run --task massive-de --strategy {called}")
