"""`slubench publish` and `slubench push`."""

from __future__ import annotations

from typing import Annotated

import typer

from slubench.cli.options import HomeOption, say
from slubench.cli.run_list import adapter_names


def push(
    run: Annotated[
        str, typer.Argument(metavar="RUN", help="A run's name or the first digits of its fingerprint.")
    ],
    to: Annotated[str, typer.Option("--to", metavar="OWNER/NAME", help="A model repository on the Hub.")],
    public: Annotated[
        bool, typer.Option("--public", help="Make a new repository public; by default it is private.")
    ] = False,
    home: HomeOption = None,
) -> None:
    """Upload an adapter to the Hub with a model card that lists its results; HF_TOKEN needs write access.

    Adapters inherit the terms of their corpora, some of which are non-commercial; the card says so.
    """
    from slubench.registry import Registry
    from slubench.runtime.home import find_home
    from slubench.submission.publish.push import push as upload

    place = find_home(home)
    run = adapter_names([run], place).get(run, run)
    print(upload(run, to, place, Registry(place.root, say), public=public))


def publish(
    runs: Annotated[
        list[str] | None, typer.Argument(help="Names of runs, as in `slubench list runs`.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Publish all scored runs.")] = False,
    home: HomeOption = None,
) -> None:
    """Copy scores and cards of runs to the tracked folders of a checkout, all of them or none.

    Paths, user and host of this machine are left out. Records show a dozen replies of each run.
    """
    from slubench.runtime.home import find_home
    from slubench.submission.publish.publish import publish_runs

    place = find_home(home)
    named = adapter_names(runs or [], place)
    for path in publish_runs(place, [named.get(name, name) for name in runs or []], everything, say):
        say(f"published {path}")
