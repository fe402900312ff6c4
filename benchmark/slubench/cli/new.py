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


def begin(kind: str, name: str, folder: Path, known: Collection[str], text: str = "") -> Path:
    """Write a file that declares something of that name into a folder.

    Args:
        kind: `strategy`, `task`, `model` or `metric`.
        name: As in `my-idea`.
        folder: Where the file goes, as `my_idea.py`.
        known: Names that are taken.
        text: What is written in place of the kind's template.

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
    identifier = name.replace("-", "_")
    if name in known or (kind == "metric" and identifier in known):
        shows = "" if kind == "metric" else f"; `slubench show {name}` prints it"
        raise UsageError(f"A {kind} {name!r} already exists{shows}. Choose another name.")
    path = folder / f"{identifier}.py"
    if path.exists():
        raise UsageError(f"{path} already exists. Choose another name, or another folder with --to.")
    words = name.replace("-", " ").capitalize()
    given = {"name": name, "title": words, "constant": identifier.upper(), "identifier": identifier}
    write_text(path, text or Template(template(kind)).substitute(given))
    return path


def template(kind: str) -> str:
    """The text of a kind's template."""
    return files("slubench.cli").joinpath(f"new_{kind}.txt").read_text("utf-8")


ToOption = Annotated[
    Path | None,
    typer.Option(
        "--to", metavar="DIR", help="Output folder. Default: HOME's folder, where it is found by name."
    ),
]
app = typer.Typer(no_args_is_help=True, help="Create a file from a template.")


@app.callback()
def _group() -> None:
    """Create a file from a template."""


def _declared(kind: str, name: str, to: Path | None, home: Path | None, text: str = "") -> tuple[Path, str]:
    """Write the file, print its path, and give the path with what the command line calls it."""
    from slubench.registry import Registry
    from slubench.registry.kinds import BY_NAME
    from slubench.runtime.home import find_home

    place = find_home(home).root
    shelf = place / BY_NAME[kind].folder
    folder = to.expanduser().resolve() if to is not None else shelf
    path = begin(kind, name, folder, getattr(Registry(place, say), BY_NAME[kind].plural), text)
    print(path)
    return path, name if folder == shelf else str(path)


@app.command(cls=Command)
def strategy(
    name: Annotated[str, typer.Argument(help="Name of the strategy, such as my-idea.")],
    to: ToOption = None,
    home: HomeOption = None,
) -> None:
    """Write a working, commented strategy and print its path."""
    _, called = _declared("strategy", name, to, home)
    say(f"Edit it, then check it: slubench check {called}")
    say(f"and run it: slubench run --task massive-de --strategy {called}")


@app.command(cls=Command)
def model(
    name: Annotated[str, typer.Argument(help="Name of the model, such as my-model.")],
    to: ToOption = None,
    home: HomeOption = None,
) -> None:
    """Write a model's declaration to fill in, and print its path."""
    _, called = _declared("model", name, to, home)
    say(f"Give repository and family (slubench show org/name tells it), then: slubench show {called}")
    say(f"and check it: slubench check {called}")


@app.command(cls=Command)
def metric(
    name: Annotated[str, typer.Argument(help="Name of the metric, such as first-entity.")],
    to: ToOption = None,
    home: HomeOption = None,
) -> None:
    """Write a working metric and print its path."""
    _declared("metric", name, to, home)
    say("Edit it, then add it to existing scores: slubench rescore")


@app.command(cls=Command)
def task(
    name: Annotated[str, typer.Argument(help="Name of the task, such as my-calls.")],
    folder: Annotated[
        Path | None,
        typer.Option("--from", metavar="DIR", help="A folder with a table of utterances, and recordings."),
    ] = None,
    hub: Annotated[
        str, typer.Option("--hub", metavar="OWNER/NAME", help="A dataset on the Hub with Parquet files.")
    ] = "",
    revision: Annotated[
        str, typer.Option("--revision", metavar="COMMIT", help="The commit of the Hub dataset to pin.")
    ] = "",
    language: Annotated[
        str, typer.Option("--language", metavar="CODE", help="Its language, ISO 639-1.")
    ] = "en",
    text: Annotated[str, typer.Option("--text", metavar="COLUMN", help="Column with the transcript.")] = "",
    intent: Annotated[
        str, typer.Option("--intent", metavar="COLUMN", help="Column with the intent, or a list of several.")
    ] = "",
    audio: Annotated[
        str, typer.Option("--audio", metavar="COLUMN", help="Column with the recording or its file name.")
    ] = "",
    identity: Annotated[
        str, typer.Option("--id", metavar="COLUMN", help="Column with the sentence's id.")
    ] = "",
    scenario: Annotated[
        str, typer.Option("--scenario", metavar="COLUMN", help="Column with the intent's scenario.")
    ] = "",
    entities: Annotated[
        str, typer.Option("--entities", metavar="COLUMN", help="Column with the slots.")
    ] = "",
    speaker: Annotated[
        str, typer.Option("--speaker", metavar="COLUMN", help="Column with the speaker's id.")
    ] = "",
    split: Annotated[
        str, typer.Option("--split", metavar="COLUMN", help="Column with the split, if one table holds all.")
    ] = "",
    to: ToOption = None,
    home: HomeOption = None,
) -> None:
    """Write a task that reads your own data, and print its path.

    With --from the folder's table is looked at: its columns are found by their names, or are those that you
    give. See docs/tasks.md.
    """
    from slubench.cli.new_task import PLACEHOLDER, TableFound, look_at, task_text

    given = {
        "text": text,
        "intent": intent,
        "audio": audio,
        "id": identity,
        "scenario": scenario,
        "entities": entities,
        "speaker": speaker,
        "partition": split,
    }
    if folder is not None and hub:
        raise UsageError("Give either --from DIR or --hub OWNER/NAME.")
    if folder is not None:
        found = look_at(folder, given)
    else:
        columns = PLACEHOLDER | {part: column for part, column in given.items() if column}
        patterns = ("data/{split}-*.parquet", "{split}-*.parquet") if hub else ("{split}.csv",)
        found = TableFound(patterns, columns, hub=hub, revision=revision)
    _, called = _declared("task", name, to, home, task_text(template("task"), name, language, found))
    told = ", ".join(f"{part}: {column}" for part, column in found.columns.items())
    say(f"columns: {told}" + (f" ({found.rows:,} rows looked at)" if found.rows else ""))
    if "entities" not in found.columns:
        say("no column with slots: intents alone are trained and scored (--entities names one)")
    say(f"Edit it, then read all of it: slubench data check {called} --edition full --model tiny")
    say(
        "and try it on a few utterances: slubench run --edition full --model tiny --limit 20"
        f" --strategy direct-mix --task {called}"
    )
