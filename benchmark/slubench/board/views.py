"""Finds views: every `View` at module level in the files of the leaderboard's shelf."""

from __future__ import annotations

from pathlib import Path

from slubench.board.view import View
from slubench.errors import DeclarationError
from slubench.registry import _modules


def find_views(home: Path | None = None) -> tuple[View, ...]:
    """Load the views of the package and of `home/leaderboard/*.py`, in the order they declare.

    Args:
        home: HOME, whose own views are shown beside the package's; a checkout has none but the shelf's.

    Raises:
        DeclarationError: A file does not import or declares no view, or two views bear one name.
    """
    found: dict[str, tuple[View, Path]] = {}
    for module, path in _modules(home):
        views = [value for value in vars(module).values() if isinstance(value, View)]
        if not views:
            raise DeclarationError(f"{path}: declares no View at module level")
        for view in views:
            _, other = found.setdefault(view.name, (view, path))
            if found[view.name][0] is not view:
                raise DeclarationError(f"two views are named {view.name}: {other} and {path}; rename one")
    return tuple(sorted((view for view, _ in found.values()), key=lambda view: (view.order, view.name)))
