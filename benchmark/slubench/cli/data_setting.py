"""What the commands of `slubench data` work on: parts of corpora, from where and whereto."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from slubench.cli.options import say

if TYPE_CHECKING:
    from slubench.clips import ClipStore
    from slubench.corpora.source import Source
    from slubench.data.parts import Part
    from slubench.home import Home


class Setting(NamedTuple):
    """Where and what.

    Attributes:
        home: Where things live.
        source: Where corpora are looked for.
        store: Where decoded clips go, at the rate and length that the model hears.
        parts: A task's, or those of all tasks.
    """

    home: Home
    source: Source
    store: ClipStore
    parts: list[Part]


def setting_of(
    task: str | None, edition: str, model: str | None, corpora: Path | None, home: Path | None
) -> Setting:
    """Find what a command of `slubench data` works on.

    Args:
        task: Name of a task; None for all that the edition has.
        edition: `auto`, `full` or `mini`.
        model: Whose rate and length clips are decoded at; None for the edition's own.
        corpora: A mirror, if one is named.
        home: HOME, if one is named.

    Raises:
        SlubenchError: A name is none, or the edition lacks the task.
    """
    from slubench.clips import ClipStore
    from slubench.data.parts import parts_of
    from slubench.digest import Digests
    from slubench.editions import check_offered, choose, offers
    from slubench.home import find_home
    from slubench.registry import Registry
    from slubench.weights import choose_model

    place = find_home(home)
    registry = Registry(place.root)
    chosen, reason = choose(edition)
    if reason:
        say(reason)
    source = chosen.source(corpora, Digests(place.digests))
    if task is None:
        tasks = [each for each in registry.tasks.values() if source.hub or offers(source, each)]
    else:
        tasks = [registry.task(task)]
        check_offered(source, tasks[0], registry.tasks)
    named = choose_model(model or chosen.model, registry)
    store = ClipStore(place.clips, named.sampling_rate, named.max_seconds)
    return Setting(place, source, store, parts_of(tasks))
