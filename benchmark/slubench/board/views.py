"""Finds the views of the page, by the registry."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from slubench.board.view import View
from slubench.registry import Registry


def find_views(home: Path | None = None, say: Callable[[str], None] | None = None) -> tuple[View, ...]:
    """The views of the package, of plugins and of `home/leaderboard/*.py`, in the order they declare.

    Args:
        home: HOME, whose own views are shown beside the package's.
        say: Takes a line about each file that is of no use; the page is built without it.
    """
    registry = Registry(home) if say is None else Registry(home, say)
    views: list[View] = list(registry.views.values())
    return tuple(sorted(views, key=lambda view: (view.order, view.name)))
