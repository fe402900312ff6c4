"""Finds the checkout that a source tree or a working directory belongs to."""

from __future__ import annotations

import importlib
import importlib.util
import tomllib
from collections.abc import MutableSequence
from functools import cache
from pathlib import Path

from slubench.errors import unknown

SHELF = "slubench.leaderboard"


def shelf_folders() -> list[Path]:
    """The folders of the shelf: at a checkout's root, or within the installed package."""
    return [Path(folder) for folder in importlib.import_module(SHELF).__path__]


MODULES = Path(__file__).parent / "metrics" / "evaluate_modules"


def evaluate_path(name: str) -> str:
    """The path that `evaluate.load` takes, without network, for a module of this package.

    Args:
        name: `slurp_slu`, `slu_slots`, `massive_slots` or `word_errors`; each has a card beside it.

    Raises:
        UsageError: There is no such module; the message holds the near names.
    """
    names = [path.parent.name for path in MODULES.glob("*/README.md")]
    if name not in names:
        raise unknown("evaluate module", name, names)
    return str(MODULES / name)


@cache
def is_checkout(folder: Path) -> bool:
    """Whether `folder` holds a pyproject.toml whose project is slubench."""
    pyproject = folder / "pyproject.toml"
    try:
        with pyproject.open("rb") as file:
            project = tomllib.load(file).get("project", {})
    except (OSError, tomllib.TOMLDecodeError):
        return False
    return isinstance(project, dict) and project.get("name") == "slubench"


def checkout_above(folder: Path) -> Path | None:
    """The nearest checkout among `folder` and its parents, or None."""
    return next((parent for parent in (folder, *folder.parents) if is_checkout(parent)), None)


def extend_path(path: MutableSequence[str]) -> None:
    """Let the shelves at a checkout's root be found as `slubench.tasks` and so on.

    In a wheel the shelves lie beside the modules and nothing is added.
    """
    root = Path(__file__).resolve().parents[2]
    if Path(__file__).resolve().parents[1].name == "benchmark" and is_checkout(root):
        path.append(str(root))
