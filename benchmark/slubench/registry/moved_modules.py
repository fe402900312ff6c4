"""Import names of 0.1.0, which declarations may use for one more version."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

import slubench

UNTIL = "0.3"

MOVED: Mapping[str, tuple[str, ...]] = {
    "budget": ("domain.budget",),
    "corpus": ("domain.corpus",),
    "massive_rows": ("data.formats.massive",),
    "meaning": ("domain.meaning",),
    "model": ("domain.model",),
    "ontology": ("data.formats.ontology",),
    "pool": ("domain.pool",),
    "prompt": ("domain.prompt",),
    "slurp_rows": ("data.formats.slurp",),
    "strategy": ("domain.strategy",),
    "tables": ("schemas",),
    "target": ("domain.target",),
    "task": ("domain.task",),
    "utterance": ("domain.utterance",),
    "view": ("board.view", "board.panel"),
}
"""Where the public modules of 0.1.0 are now; the content of one may be in several."""

RENAMED: Mapping[str, str] = {"Place": "HubRepo"}
"""Renamed names in those modules and in `slubench` itself."""


@contextmanager
def old_names() -> Iterator[dict[str, str]]:
    """Allow old names to be imported; gives a dictionary from the old names that are used to the new.

    Outside of it they do not exist, so that slubench's own code cannot lean on them.
    """
    used: dict[str, str] = {}
    finder = _Finder(used)
    sys.meta_path.append(finder)
    face = vars(slubench)
    before = face.get("__getattr__")
    face["__getattr__"] = _lookup("slubench", (slubench.__name__,), used)
    try:
        yield used
    finally:
        sys.meta_path.remove(finder)
        if before is None:
            face.pop("__getattr__", None)
        else:
            face["__getattr__"] = before
        for name in finder.made:
            sys.modules.pop(f"slubench.{name}", None)
            face.pop(name, None)


def told(origin: str, used: Mapping[str, str]) -> str:
    """A message about old names."""
    names = ", ".join(f"{old} is now {new}" for old, new in sorted(used.items()))
    return f"{origin} uses old names, which work until {UNTIL}: {names}"


class _Finder(MetaPathFinder):
    def __init__(self, used: dict[str, str]) -> None:
        self.used = used
        self.made: list[str] = []

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        package, _, name = fullname.rpartition(".")
        if package != "slubench" or name not in MOVED:
            return None
        self.made.append(name)
        return ModuleSpec(fullname, _Alias(name, self.used))


class _Alias(Loader):
    def __init__(self, name: str, used: dict[str, str]) -> None:
        self.name = name
        self.used = used

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        modules = tuple(f"slubench.{moved}" for moved in MOVED[self.name])
        vars(module)["__getattr__"] = _lookup(f"slubench.{self.name}", modules, self.used)


def _lookup(old: str, modules: Sequence[str], used: dict[str, str]) -> Any:
    """A module's `__getattr__` that looks names up in other modules, under their new names."""

    def found(name: str) -> Any:
        new = RENAMED.get(name, name)
        # Of the face's names those alone that were renamed are missing.
        if not name.startswith("__") and not (old in modules and new == name):
            holders = [module for module in map(importlib.import_module, modules) if hasattr(module, new)]
            if holders:
                # The module that defines it, rather than one that imports it.
                defined = getattr(getattr(holders[0], new), "__module__", None)
                holder = next((one for one in holders if one.__name__ == defined), holders[0])
                if holder.__name__ == modules[0] and new == name:
                    used[old] = holder.__name__
                else:
                    used[f"{old}.{name}"] = f"{holder.__name__}.{new}"
                return getattr(holder, new)
        raise AttributeError(f"module {old!r} has no attribute {name!r}")

    return found
