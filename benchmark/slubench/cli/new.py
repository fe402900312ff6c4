"""`slubench new`."""

from __future__ import annotations

import re
from collections.abc import Collection
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Annotated

import typer

from slubench.cli.command import Command
from slubench.cli.options import HomeOption, say
from slubench.errors import UsageError
from slubench.runtime.files import write_text

SLUG = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
LONGEST = 64


def begin_strategy(name: str, folder: Path, known: Collection[str]) -> Path:
    """Write a working strategy of that name into a folder.

    Args:
        name: As in `my-idea`.
        folder: Where the file goes, as `my_idea.py`.
        known: Names that strategies have already.

    Returns:
        The file.

    Raises:
        UsageError: The name is invalid or taken, or the file exists already.
    """
    if len(name) > LONGEST or not SLUG.fullmatch(name):
        raise UsageError(
            f"Invalid name {name[:80]!r}: use at most {LONGEST} lower-case letters and digits in words"
            " joined by"
            " hyphens, starting with a letter, such as my-idea."
        )
    if name in known:
        raise UsageError(
            f"A strategy {name!r} already exists; `slubench show {name}` prints it. Choose another name."
        )
    path = folder / f"{name.replace('-', '_')}.py"
    if path.exists():
        raise UsageError(f"{path} already exists. Choose another name, or another folder with --to.")
    template = Template(files("slubench.cli").joinpath("new_strategy.txt").read_text("utf-8"))
    words = name.replace("-", " ")
    constant = name.replace("-", "_").upper()
    write_text(path, template.substitute(name=name, title=words.capitalize(), constant=constant))
    return path


app = typer.Typer(no_args_is_help=True, help="Create a file from a template.")


@app.callback()
def _group() -> None:
    """Create a file from a template."""


@app.command(cls=Command)
def strategy(
    name: Annotated[str, typer.Argument(help="Name of the strategy, such as my-idea.")],
    to: Annotated[
        Path | None,
        typer.Option(
            "--to",
            metavar="DIR",
            help="Output folder. Default: HOME/strategies, where strategies are found by name.",
        ),
    ] = None,
    home: HomeOption = None,
) -> None:
    """Write a working, commented strategy and print its path."""
    pass
    from slubench.registry import Registry
    from slubench.runtime.home import find_home

    place = find_home(home).root
    shelf = place / "strategies"
    folder = to.expanduser().resolve() if to is not None else shelf
    path = begin_strategy(name, folder, Registry(place, say).strategies)
    print(path)
    called = name if folder == shelf else path
    say(f"Edit it, then check it: slubench check {called}")
    say(f"and run it: slubench run --task massive-de --strategy {called}")
