"""Performs what `slubench run` and `slubench sweep` are asked for, and shows the scores."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from slubench.cli.options import say, watch
from slubench.cli.wanted import Wanted, declare, runs_of
from slubench.errors import UsageError, unknown

if TYPE_CHECKING:
    from slubench.model import Model
    from slubench.pipeline import Machine, Outcome


def perform_wanted(wanted: Wanted) -> None:
    """Train, ask and score every combination, and show the scores.

    Raises:
        UsageError: Something is asked for that there is not.
        SlubenchError: A run cannot be done.
    """
    from slubench import engines
    from slubench.digest import Digests
    from slubench.editions import check_offered, choose
    from slubench.home import find_home
    from slubench.pipeline import Machine, perform
    from slubench.registry import Registry
    from slubench.weights import choose_model, locate

    place = find_home(wanted.home)
    registry = Registry(place.root)
    declared = declare(wanted, registry)
    chosen, reason = choose(wanted.edition)
    if reason:
        say(reason)
    digests = Digests(place.digests)
    model = choose_model(wanted.model or chosen.model, registry)
    model.recipe(wanted.track)
    ways = _ways(wanted.ask, model)
    engine = engines.resolve(wanted.engine)
    source = chosen.source(wanted.corpora, digests)
    for task in declared.tasks:
        check_offered(source, task, registry.tasks)
    machine = Machine(place, source, engine, wanted.serving, say, watch, ways)
    located, weights = locate(model, digests)
    runs = list(runs_of(wanted, declared, registry, chosen.name, located, weights))
    _report(perform(runs, machine), machine, wanted.as_json)


def _ways(ask: str, model: Model) -> tuple[str, ...]:
    from slubench.answers import ASKED, WAYS
    from slubench.prompt import OWN_ASKED, transcription

    named = ask.split(",")
    for way in named:
        if way not in WAYS:
            raise unknown("way of asking", way, WAYS)
    if not set(ASKED) <= set(named):
        raise UsageError(f"--ask {ask}: speech and text are always asked; the table needs both.")
    if OWN_ASKED in named:
        transcription(model)
    return tuple(way for way in WAYS if way in named)


def _report(outcomes: list[Outcome], machine: Machine, as_json: bool) -> None:
    import pyarrow.parquet as pq

    rows: list[dict[str, Any]] = []
    for outcome in outcomes:
        for row in pq.read_table(outcome.scores).to_pylist():
            rows.append({**row, "cached": outcome.cached})
    if as_json:
        print(json.dumps(rows, default=str, ensure_ascii=False))
        return
    from rich.console import Console

    from slubench.board.terminal import result_table

    Console().print(result_table(rows))
    for outcome in outcomes:
        took = "found" if outcome.cached else f"{outcome.seconds:.0f} s"
        say(f"{outcome.scores} ({took})")
