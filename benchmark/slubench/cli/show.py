"""`slubench show`."""

from __future__ import annotations

import inspect
import itertools
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from slubench.cli.completion import complete_name
from slubench.cli.listing import first_line
from slubench.cli.options import HomeOption, JsonOption, print_json, say
from slubench.cli.printed_table import plain_console
from slubench.cli.run_list import adapter_names
from slubench.errors import unknown

if TYPE_CHECKING:
    from slubench.registry import Registry
    from slubench.runtime.home import Home


def show(
    name: Annotated[
        str,
        typer.Argument(
            autocompletion=complete_name,
            help="A task, strategy, model or run; a file that declares one; a checkpoint's folder or org/name"
            " on the Hub.",
        ),
    ],
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show a declaration, or the card of a trained run.

    In a pipe, FILE.py gives its Python as it is, and a strategy's name its Python below comments.
    """
    from slubench.registry import Registry
    from slubench.runtime.home import find_home

    place = find_home(home)
    registry = Registry(place.root, say)
    found = _find(name, registry, place)
    if as_json:
        print_json(found)
    elif sys.stdout.isatty():
        _print(found)
    else:
        _print_plain(found, alone=name.endswith(".py"))


def _print(found: dict[str, Any]) -> None:
    from rich.syntax import Syntax
    from rich.table import Table

    console = plain_console()
    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    source = found.pop("file", "")
    for key, value in found.items():
        table.add_row(key, _shown(value))
    console.print(table)
    if source and Path(source).is_file():
        console.print(f"\n{source}", style="dim")
        if found["kind"] == "strategy":
            text = Path(source).read_text("utf-8")
            console.print(Syntax(text, "python", background_color="default", word_wrap=True))


def _print_plain(found: dict[str, Any], *, alone: bool) -> None:
    """Print what was found without anything that depends on a terminal's width.

    Args:
        found: From `_find`.
        alone: Whether the file's text is printed alone, byte for byte.
    """
    source = Path(found.get("file") or "")
    text = source.read_bytes() if source.is_file() else b""
    if text and alone:
        sys.stdout.flush()
        sys.stdout.buffer.write(text)
        return
    python = found["kind"] == "strategy" and bool(text)
    for key, value in found.items():
        for line in _shown(value).splitlines() or [""]:
            print(f"{'# ' if python else ''}{key}\t{line}")
    if python:
        sys.stdout.flush()
        sys.stdout.buffer.write(text)


def _find(name: str, registry: Registry, home: Home) -> dict[str, Any]:
    from dataclasses import asdict

    from slubench.cli.model_facts import model_facts
    from slubench.registry import kind_of_file
    from slubench.registry.weights import choose_model

    if name.endswith(".py"):
        kind = kind_of_file(Path(name).expanduser()).name
    else:
        kind = next((kind for kind, known in _known(registry).items() if name in known), "")
        if not kind and ("/" in name or Path(name).is_dir()):
            kind = "model"
    if kind == "strategy":
        strategy = registry.strategy(name)
        origin = registry.origin(strategy)
        return {
            "kind": "strategy",
            "name": strategy.name,
            "summary": strategy.summary or first_line(origin),
            "source": strategy.source,
            "track": strategy.track,
            "stages": [_stage(stage) for stage in strategy.stages],
            "file": origin,
        }
    if kind == "task":
        task = registry.task(name)
        return {
            "kind": "task",
            "name": task.name,
            "summary": task.summary,
            "corpus": task.corpus.name,
            "training text in": " ".join(task.text_in),
            "training speech in": " ".join(task.speech_in),
            "tested in": task.test_in,
            "cross-lingual": "yes" if task.cross_lingual else "no",
            "pools": " ".join(dict.fromkeys((task.train, task.speech_split))),
            "target data": " ".join(task.targets),
            "unit": task.unit,
            "repositories": " ".join(task.corpus.repositories),
            "licence": task.corpus.licence,
            "home page": task.corpus.home_page,
            "file": registry.origin(task),
        }
    if kind == "model":
        return model_facts(choose_model(name, registry), registry)
    cards = {path.stem: path for path in home.adapters.glob("*.json")}
    if name not in cards:
        name = adapter_names([name], home).get(name, name)
    if name in cards:
        from slubench.registry.adapters import Adapter

        return {"kind": "run", **asdict(Adapter.load(cards[name]))}
    known = [*itertools.chain.from_iterable(_known(registry).values()), *cards]
    raise unknown("task, strategy, model or run", name, known)


def _known(registry: Registry) -> dict[str, Mapping[str, Any]]:
    return {"strategy": registry.strategies, "task": registry.tasks, "model": registry.models}


def _shown(value: Any) -> str:
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return "\n".join(value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _stage(stage: Any) -> str:
    parts = [
        str(stage.learns_from).removeprefix("Modality."),
        f"{stage.share:.0%} of the updates",
        f"{stage.rate:g} x the base rate",
    ]
    if stage.passes is not None:
        parts.append(f"at most {stage.passes:g} passes")
    for name in ("compose", "objective"):
        function = getattr(stage, name)
        if function is not None:
            parts.append(f"{name}: {function.__name__} ({_place(function)})")
    return ", ".join(parts)


def _place(function: Any) -> str:
    try:
        return f"line {inspect.getsourcelines(function)[1]}"
    except OSError:
        return sys.modules[function.__module__].__name__
