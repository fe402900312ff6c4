"""`slubench list`."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from slubench.cli.options import HomeOption, JsonOption, print_json, say
from slubench.cli.printed_table import print_table
from slubench.cli.run_list import run_rows
from slubench.errors import unknown

if TYPE_CHECKING:
    from slubench.registry import Registry
    from slubench.runtime.home import Home

KINDS = ("tasks", "strategies", "models", "runs")
WIDE = 110
"""Columns of a terminal from which on the time of making is shown beside a run's name."""


def list_(
    kind: Annotated[
        str,
        typer.Argument(
            metavar="[tasks|strategies|models|runs]",
            autocompletion=lambda incomplete: [kind for kind in KINDS if kind.startswith(incomplete)],
        ),
    ] = "all",
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """List tasks, strategies, models and runs, with their state, score and time.

    In a pipe, columns are separated by tabs.
    """
    from slubench.registry import Registry
    from slubench.runtime.home import find_home

    if kind not in ("all", *KINDS):
        raise unknown("listing", kind, KINDS)
    place = find_home(home)
    registry = Registry(place.root, say)
    rows = {name: read(registry, place) for name, read in _ROWS.items() if kind in ("all", name)}
    if kind in ("all", "runs"):
        # Beside all else only this HOME's runs: published ones may be many.
        rows["runs"] = run_rows(place, published=kind == "runs")
    if as_json:
        print_json(rows if kind == "all" else rows[kind])
        return
    for name, entries in rows.items():
        if entries or kind != "all":
            print_table(name, [_written(name, entry) for entry in entries], several=kind == "all")


def _tasks(registry: Registry, home: Home) -> list[dict[str, Any]]:
    from slubench.data.editions import MINI, offers
    from slubench.runtime.digest import Digests

    mini = MINI.source(None, Digests(home.digests))
    return [
        {
            "name": task.name,
            "learns_from": list(dict.fromkeys((*task.speech_in, *task.text_in))),
            "test": task.test_in,
            "editions": ["full", "mini"] if offers(mini, task) else ["full"],
            "summary": task.summary,
        }
        for task in registry.tasks.values()
    ]


def _strategies(registry: Registry, home: Home) -> list[dict[str, Any]]:
    return [
        {
            "name": strategy.name,
            "stages": len(strategy.stages),
            "speech": strategy.needs_speech,
            "summary": strategy.summary or first_line(registry.origin(strategy)),
            "source": strategy.source,
        }
        for strategy in registry.strategies.values()
    ]


def _models(registry: Registry, home: Home) -> list[dict[str, Any]]:
    return [
        {
            "name": model.name,
            "parameters": model.parameters or None,
            "needs_gpu": model.needs_gpu,
            "tracks": list(model.tracks),
            "licence": model.licence,
        }
        for model in registry.models.values()
    ]


_ROWS = {"tasks": _tasks, "strategies": _strategies, "models": _models}


def _written(kind: str, entry: dict[str, Any]) -> dict[str, str]:
    """An entry as text; of a run, on a terminal, what a line holds."""
    if kind != "runs":
        short_names = {"learns_from": "train", "parameters": "size"} if sys.stdout.isatty() else {}
        return {
            short_names.get(name, name).replace("_", " ").replace("gpu", "GPU"): _text(name, value)
            for name, value in entry.items()
        }
    from slubench.board.text import duration

    score, seconds, created = entry["slu_f1"], entry["seconds"], entry["created"]
    short = {
        "state": str(entry["state"]),
        "SLU-F1": "" if score is None else f"{100 * score:.1f}",
        "time": "" if seconds is None else duration(seconds),
        "made": "" if created is None else f"{created:%Y-%m-%d %H:%M}",
        "name": str(entry["name"]),
    }
    if sys.stdout.isatty():
        if shutil.get_terminal_size().columns < WIDE:
            del short["made"]
        return short
    name = short.pop("name")
    rest = {key: str(entry[key] if entry[key] is not None else "") for key in _MORE}
    return {"name": name, **short, **rest}


def _text(name: str, value: Any) -> str:
    if name == "parameters":
        return "not known" if value is None else f"{value / 1e6:,.1f} M"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return " ".join(value) if isinstance(value, list) else str(value)


_MORE = ("seconds", "strategy", "speech", "clips", "updates", "adapter")


def first_line(origin: str) -> str:
    """The first line of a file's docstring, for a strategy without a summary."""
    import ast

    file = Path(origin)
    if not file.is_file():
        return ""
    told = ast.get_docstring(ast.parse(file.read_text("utf-8"))) or ""
    return told.partition("\n")[0]
