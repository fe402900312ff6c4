"""Finds the checkout that a source tree or a working directory belongs to."""

from __future__ import annotations

import tomllib
from collections.abc import MutableSequence
from functools import cache
from pathlib import Path


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
