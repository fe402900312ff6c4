"""What a person sees of a sweep: its plan and cost before it starts, and one table while it runs."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from slubench.cli.options import say
from slubench.cli.printed_table import plain_console

if TYPE_CHECKING:
    from slubench.sweep.states import RunState, RunStates
    from slubench.sweep.sweep_cost import Bounds, SweepCost

STYLES = {
    "training": "cyan",
    "predicting": "cyan",
    "scored": "green",
    "failed": "red",
    "already scored": "dim",
}


def plan_table(cost: SweepCost) -> RenderableType:
    """A sweep's plan: what is due for each model, hours and money."""
    told = [f"{cost.runs} runs: {cost.cached} already scored, {cost.due} to do"]
    if cost.failed:
        told.append(f"{cost.failed} cannot be planned")
    if cost.shared:
        told.append(f"{cost.shared} of them share an adapter with another")
    lines: list[RenderableType] = [Text("; ".join(told))]
    if cost.models:
        table = Table(box=None, pad_edge=False)
        for name, right in (
            ("model", False),
            ("trainings", True),
            ("updates at most", True),
            ("hours", True),
            ("tests to predict", True),
            ("requests", True),
            ("hours", True),
        ):
            table.add_column(name, justify="right" if right else "left", overflow="fold")
        for one in cost.models:
            table.add_row(
                one.model,
                f"{one.trainings:,}",
                f"{one.updates:,}",
                span(one.train_hours),
                f"{one.predictions:,}",
                f"{one.requests:,}",
                span(one.predict_hours),
            )
        lines.append(table)
        lines += [Text(f"{one.model}: hours {one.source}", style="dim") for one in cost.models]
        unit = "GPU hours" if any(one.gpu for one in cost.models) else "hours of this CPU"
        whole = cost.hours
        told = [f"about {span(whole)} {unit} in all"]
        if cost.places > 1:
            told.append(f"{span(whole.times(1 / cost.places))} hours with {cost.places} at a time")
        if (money := cost.money) is not None:
            told.append(f"cost {span(money)} at {cost.price:g} an hour")
        lines.append(Text("; ".join(told), style="bold"))
    return Group(*lines)


def span(value: Bounds) -> str:
    """A quantity between bounds, as in `1.2 to 3.4`."""
    low, high = (f"{one:.2g}" if one < 10 else f"{one:,.0f}" for one in (value.low, value.high))
    return low if low == high else f"{low} to {high}"


def states_table(states: RunStates, started: float, height: int) -> RenderableType:
    """The runs of a sweep with their states; those that matter least are summed up if it is too long."""
    table = Table(box=None, pad_edge=False, expand=True)
    table.add_column("run", ratio=1, no_wrap=True, overflow="ellipsis")
    table.add_column("state", no_wrap=True)
    table.add_column("", justify="right", no_wrap=True, max_width=24, overflow="ellipsis")
    order = ("training", "predicting", "failed", "trained", "scored", "waiting", "already scored")
    shown = sorted(states.runs, key=lambda run: order.index(run.state))[: max(height - 4, 3)]
    for run in sorted(shown, key=lambda run: run.number):
        detail = run.detail.splitlines()[0] if run.detail else ""
        table.add_row(run.name, Text(run.state, style=STYLES.get(run.state, "")), Text(detail))
    hidden = len(states.runs) - len(shown)
    more = f"; {hidden} more runs are not shown" if hidden else ""
    return Group(table, Text(f"{counted(states)} after {_took(time.monotonic() - started)}{more}"))


def counted(states: RunStates) -> str:
    """How many runs are in which state."""
    numbers = Counter(run.state for run in states.runs)
    done = sum(not run.due for run in states.runs)
    return f"{done} of {len(states.runs)} done ({', '.join(f'{n} {name}' for name, n in numbers.items())})"


def _took(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}"


@contextmanager
def followed(states: RunStates) -> Iterator[None]:
    """Show how a sweep goes: one table on a terminal, else a line for each change."""
    started = time.monotonic()
    console = plain_console(stderr=True)
    if not console.is_terminal:

        def told(run: RunState) -> None:
            done = sum(not one.due for one in states.runs)
            detail = f": {run.detail}" if run.detail else ""
            say(f"[{done}/{len(states.runs)}] {run.name}: {run.state}{detail}")

        states.changed = told
        yield
        return

    class Shown:
        def __rich__(self) -> RenderableType:
            return states_table(states, started, console.height)

    with Live(Shown(), console=console, refresh_per_second=2, vertical_overflow="crop"):
        yield


def confirmed(cost: SweepCost, yes: bool) -> bool:
    """Whether the sweep is to start: asked on a terminal, unless `--yes` or nothing is to be done."""
    if yes or not cost.due or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return True
    print("Start? [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")
