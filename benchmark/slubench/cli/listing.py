"""`slubench list` and `slubench show`."""

from __future__ import annotations

import inspect
import itertools
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from slubench.cli.options import HomeOption, JsonOption, print_json, say
from slubench.errors import DataError, unknown

if TYPE_CHECKING:
    from rich.table import Table

    from slubench.registry import Registry
    from slubench.runtime.home import Home

KINDS = ("tasks", "strategies", "models", "runs")


def list_(
    kind: Annotated[str, typer.Argument(metavar="[tasks|strategies|models|runs]")] = "all",
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """List tasks, strategies, models and trained runs."""
    from slubench.registry import Registry
    from slubench.runtime.home import find_home

    if kind not in ("all", *KINDS):
        raise unknown("listing", kind, KINDS)
    place = find_home(home)
    registry = Registry(place.root, say)
    rows = {name: _ROWS[name](registry, place) for name in KINDS if kind in ("all", name)}
    if as_json:
        print_json(rows if kind == "all" else rows[kind])
        return
    from rich.console import Console

    console = Console(highlight=False)
    for name, entries in rows.items():
        if entries or kind != "all":
            console.print(_table(name, entries))


def show(
    name: Annotated[
        str,
        typer.Argument(
            help="A task, strategy, model or run; a file that declares one; a checkpoint's folder or org/name"
            " on the Hub."
        ),
    ],
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show a declaration, or the card of a trained run."""
    from slubench.registry import Registry
    from slubench.runtime.home import find_home

    place = find_home(home)
    registry = Registry(place.root, say)
    found = _find(name, registry, place)
    if as_json:
        print_json(found)
        return
    from rich.console import Console
    from rich.syntax import Syntax
    from rich.table import Table

    console = Console(highlight=False)
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
            console.print(
                Syntax(Path(source).read_text("utf-8"), "python", background_color="default", word_wrap=True)
            )


def _tasks(registry: Registry, home: Home) -> list[dict[str, str]]:
    from slubench.data.editions import MINI, offers
    from slubench.runtime.digest import Digests

    mini = MINI.source(None, Digests(home.digests))
    return [
        {
            "name": task.name,
            "learns from": " ".join(dict.fromkeys((*task.speech_in, *task.text_in))),
            "test": task.test_in,
            "editions": "full mini" if offers(mini, task) else "full",
            "summary": task.summary,
        }
        for task in registry.tasks.values()
    ]


def _strategies(registry: Registry, home: Home) -> list[dict[str, str]]:
    return [
        {
            "name": strategy.name,
            "stages": str(len(strategy.stages)),
            "speech": "yes" if strategy.needs_speech else "no",
            "summary": strategy.summary or _first_line(registry.origin(strategy)),
            "source": strategy.source,
        }
        for strategy in registry.strategies.values()
    ]


def _models(registry: Registry, home: Home) -> list[dict[str, str]]:
    return [
        {
            "name": model.name,
            "parameters": f"{model.parameters / 1e6:,.1f} M" if model.parameters else "not known",
            "needs GPU": "yes" if model.needs_gpu else "no",
            "tracks": " ".join(model.tracks),
            "licence": model.licence,
        }
        for model in registry.models.values()
    ]


def _runs(registry: Registry, home: Home) -> list[dict[str, str]]:
    from slubench.registry.adapters import Adapter

    cards = []
    for path in sorted(home.adapters.glob("*.json")):
        try:
            cards.append(Adapter.load(path))
        except DataError as error:
            say(f"left out: {error}")
    return [
        {
            "name": card.stem,
            "strategy": card.strategy,
            "speech": card.budget,
            "clips": str(card.ledger.clips_bought),
            "updates": str(sum(card.ledger.updates)),
            "seconds": f"{card.training.get('seconds', 0):.0f}",
        }
        for card in cards
    ]


_ROWS = {"tasks": _tasks, "strategies": _strategies, "models": _models, "runs": _runs}


def _table(title: str, rows: list[dict[str, str]]) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(title=f"{title} ({len(rows)})", title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for column in rows[0] if rows else []:
        table.add_column(column, no_wrap=column == "name", style="bold" if column == "name" else None)
    for row in rows:
        table.add_row(*row.values())
    return table


def _first_line(origin: str) -> str:
    """The first line of a file's docstring, for a strategy without a summary."""
    import ast

    file = Path(origin)
    if not file.is_file():
        return ""
    told = ast.get_docstring(ast.parse(file.read_text("utf-8"))) or ""
    return told.partition("\n")[0]


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
            "summary": strategy.summary or _first_line(origin),
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
