"""The kinds of declarations: their classes, and the folders in which they are found."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import slubench


@dataclass(frozen=True)
class Kind:
    """One kind of declaration.

    Attributes:
        name: As in "strategy"; `registry.strategy(name)` looks one up.
        plural: As in "strategies"; `registry.strategies` holds all, and `slubench.strategies` is the group
            of a plugin's entry points.
        noun: `module:Class`, imported when the first declaration is read, so that the rest stays light.
        shelf: Folder of the package and of HOME, where it is not the plural.
        package: Folder of the package, where it is another than HOME's.
        hint: What else may be given in place of a name; closes the message about an unknown name.
        start: How to begin a new one; closes the message about a missing file.
    """

    name: str
    plural: str
    noun: str
    shelf: str = ""
    package: str = ""
    hint: str = "A path to a file also works."
    start: str = ""

    @property
    def folder(self) -> str:
        """Name of the shelf's folder."""
        return self.shelf or self.plural

    @property
    def packaged(self) -> str:
        """The shelf's folder in the package."""
        return self.package or self.folder

    @property
    def group(self) -> str:
        """Name of the entry point group."""
        return f"slubench.{self.plural}"

    def type(self) -> type:
        """The class of the declarations."""
        module, _, name = self.noun.partition(":")
        found: type = getattr(importlib.import_module(module), name)
        return found


_LISTED = "`slubench list {}` shows them all; a path to a file also works."

KINDS: tuple[Kind, ...] = (
    Kind("task", "tasks", "slubench.domain.task:Task", hint=_LISTED.format("tasks")),
    Kind(
        "strategy",
        "strategies",
        "slubench.domain.strategy:Strategy",
        hint=_LISTED.format("strategies"),
        start="`slubench new strategy my-idea` creates one to start from.",
    ),
    Kind(
        "model",
        "models",
        "slubench.domain.model:Model",
        hint="`slubench list models` shows them all; a checkpoint's folder or a path to a file also works.",
    ),
    Kind("family", "families", "slubench.domain.family:Family", package="models/families"),
    Kind("metric", "metrics", "slubench.domain.metric:Metric"),
    Kind("view", "views", "slubench.board.view:View", shelf="leaderboard"),
)
"""To add a kind, add a line here."""

BY_NAME: Mapping[str, Kind] = {kind.name: kind for kind in KINDS}
BY_PLURAL: Mapping[str, Kind] = {kind.plural: kind for kind in KINDS}


def shelf_folders(name: str) -> list[Path]:
    """The folders of a shelf, at a checkout's root or within the installed package."""
    return [folder for root in slubench.__path__ if (folder := Path(root) / name).is_dir()]
