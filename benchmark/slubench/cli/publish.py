"""`slubench publish`."""

from __future__ import annotations

from typing import Annotated

import typer

from slubench.cli.options import HomeOption, say


def publish(
    runs: Annotated[list[str] | None, typer.Argument(help="Names, as in `slubench list runs`.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All that is scored.")] = False,
    home: HomeOption = None,
) -> None:
    """Copy scores and cards of runs to the tracked folders of a checkout."""
    from slubench.home import find_home
    from slubench.publishing import publish_runs

    for path in publish_runs(find_home(home), runs or [], everything):
        say(f"published {path}")
