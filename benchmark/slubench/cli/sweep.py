"""`slubench sweep` and `slubench plan`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from slubench.cli.options import print_json, say
from slubench.cli.printed_table import plain_console
from slubench.cli.run_results import SERVING, report
from slubench.cli.spellings import inputs_of, selection_of
from slubench.cli.sweep_options import GridOptions, PlaceOptions, SweepOptions
from slubench.cli.unpacked import unpacked
from slubench.errors import SlubenchError, UsageError, unknown

if TYPE_CHECKING:
    from slubench.sweep.open_sweep import OpenSweep, SweepValues
    from slubench.sweep.sweep_cost import SweepCost

DEFAULTS: Mapping[str, str] = {"speech": "5%", "target": "none", "seeds": "0", "model": ""}
FIRST_GRID: Mapping[str, str] = {
    "task": "massive-de,massive-fr",
    "strategy": "text-only,direct-mix,curriculum",
    "speech": "0,2%,5%,10%,25%,100%",
    "seeds": "0-4",
}
"""What `--write` suggests where nothing is given."""

WriteOption = Annotated[
    Path | None,
    typer.Option("--write", metavar="FILE", help="Write the grid to a TOML file instead of running it."),
]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Start without asking.")]


@unpacked
def sweep(
    *,
    command: typer.Context,
    cells: GridOptions,
    write: WriteOption = None,
    yes: YesOption = False,
    place: PlaceOptions,
    how: SweepOptions,
) -> None:
    """Run every combination of tasks, strategies, budgets, models and seeds, on one or many GPUs.

    Values are lists (a,b or 'a b'), ranges of seeds (0-4) and patterns ('massive-*'), or come from a grid in
    a TOML file. Existing results are reused; combinations that are impossible, such as a strategy that needs
    speech at a budget of 0, are left out with the reason. The plan and its cost are shown first. Runs that
    differ only in the test share one adapter, and the adapters of a model are evaluated in one engine.
    """
    from slubench.cli.sweep_table import confirmed, followed
    from slubench.pipeline.outcomes import FailedRuns
    from slubench.sweep.cluster_wishes import ClusterWishes
    from slubench.sweep.machines import gpus_of, open_machine
    from slubench.sweep.share_out import WorkQueue

    given = _given(command, cells, how)
    if write is not None:
        _write(write, given)
        return
    opened = _open(given, how, place)
    wished = {field.name: getattr(place, field.name) for field in fields(place)}
    wished.pop("checkpoints")
    with open_machine(ClusterWishes(jobs=how.jobs, **wished), opened) as machine:
        cost = _shown(opened, machine.places, how)
        if not confirmed(cost, yes):
            raise SlubenchError("not started")
        gpus = gpus_of(opened.models, machine)
        schedule = WorkQueue(opened.contexts, opened.settings, machine, opened.states, gpus)
        try:
            with followed(opened.states):
                outcomes = schedule.perform()
        except FailedRuns as failed:
            report(list(failed.outcomes), opened.context, how.as_json)
            raise
    report(outcomes, opened.context, how.as_json)


@unpacked
def plan(*, command: typer.Context, cells: GridOptions, how: SweepOptions) -> None:
    """Show what a sweep would do and cost: trainings, updates, requests, hours, and money from --price.

    Takes the options of `slubench sweep`, and starts nothing.
    """
    from slubench.runtime.devices import shares

    opened = _open(_given(command, cells, how), how, PlaceOptions())
    cost = _cost(opened, len(shares(how.jobs)), how.price)
    if how.as_json:
        runs = [{"run": one.name, "state": one.state, "detail": one.detail} for one in opened.states.runs]
        print_json({**cost.to_json(), "states": runs})
        return

    from slubench.cli.sweep_table import plan_table

    plain_console().print(plan_table(cost))


def _given(command: typer.Context, cells: GridOptions, how: SweepOptions) -> dict[str, str]:
    """The values as text: those of the command line go before those of the grid file."""
    from slubench.sweep.grid_file import SINGLE, read_grid

    kept = read_grid(cells.grid) if cells.grid is not None else {}
    values = dict(kept)
    for name in ("task", "strategy", "model", "speech", "target", "seeds"):
        if (value := getattr(cells, name)) is not None:
            values[name] = value
    for name in SINGLE:
        source = command.get_parameter_source(name)
        if name not in values or (source is not None and source.name != "DEFAULT"):
            values[name] = getattr(how, name)
    return values


def _write(path: Path, given: Mapping[str, str]) -> None:
    from slubench.sweep.grid_file import write_grid

    values = {**FIRST_GRID, **given}
    write_grid(path, values)
    say(f"{path} written; run it with: slubench sweep --grid {path}")


def _open(given: Mapping[str, str], how: SweepOptions, place: PlaceOptions) -> OpenSweep:
    from slubench.sweep.machines import check_place
    from slubench.sweep.open_sweep import SweepValues, open_sweep

    if how.serving not in SERVING:
        raise unknown("serving", how.serving, SERVING)
    check_place(place.on)
    missing = [f"--{name}" for name in ("task", "strategy") if not given.get(name)]
    if missing:
        raise UsageError(f"Missing {' and '.join(missing)}; or give a grid with --grid FILE.")
    values: SweepValues = SweepValues(
        **{**DEFAULTS, **_plain(given)},
        engine=how.engine,
        serving=how.serving,
        inputs=inputs_of(given["inputs"], how.ask),
    )
    return open_sweep(values, how.home, how.corpora, place.checkpoints, say, place.on != "local")


def _plain(given: Mapping[str, str]) -> dict[str, Any]:
    values = {name: value for name, value in given.items() if name != "inputs"}
    return {**values, "selection": selection_of(values["selection"])}


def _cost(opened: OpenSweep, places: int, price: float | None) -> SweepCost:
    from slubench.sweep.sweep_cost import cost_of

    return cost_of(opened.states, opened.contexts, places, price)


def _shown(opened: OpenSweep, places: int, how: SweepOptions) -> SweepCost:
    """Print the plan on stderr: stdout is for the scores."""
    from slubench.cli.sweep_table import plan_table

    for one in opened.states.runs:
        if one.scores is not None:
            say(f"{one.name}: already scored ({one.scores.name})")
    cost = _cost(opened, places, how.price)
    plain_console(stderr=True).print(plan_table(cost))
    return cost
