"""Where declarations may be: files of the package's shelf, plugins, and files of HOME."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import partial
from importlib.metadata import entry_points
from pathlib import Path
from typing import NamedTuple

from slubench.registry.kinds import Kind, shelf_folders
from slubench.registry.load import Loaded, load_file, load_plugin, plugin_name

_FILES = "[!_]*.py"


class DeclarationSource(NamedTuple):
    """A file or plugin that may declare something.

    Attributes:
        origin: The file, or the plugin as messages name it.
        name: What it is called, with hyphens: the file's stem or the entry point's name.
        load: Imports it.
        must: Whether it is an error that it declares nothing.
    """

    origin: str
    name: str
    load: Callable[[], Loaded]
    must: bool


def sources(kind: Kind, home: Path | None) -> Iterator[DeclarationSource]:
    """Read the package's shelf, plugins and HOME, in this order; the first keeps a name."""
    seen: set[str] = set()
    for folder in shelf_folders(kind.packaged):
        for path in sorted(folder.glob(_FILES)):
            seen.add(os.path.realpath(path))
            module = f"slubench.{kind.packaged.replace('/', '.')}.{path.stem}"
            yield DeclarationSource(
                str(path), _hyphened(path), partial(load_file, path, kind, module), must=False
            )
    for point in sorted(entry_points(group=kind.group), key=lambda point: point.name):
        yield DeclarationSource(plugin_name(point), point.name, partial(load_plugin, point, kind), must=True)
    if home is not None:
        for path in sorted((home / kind.folder).glob(_FILES)):
            if os.path.realpath(path) not in seen and twin_of(path, kind) is None:
                yield DeclarationSource(str(path), _hyphened(path), partial(load_file, path, kind), must=True)


def twin_of(path: Path, kind: Kind) -> Path | None:
    """The file of the package's shelf that a file is, or is a copy of, as in another checkout."""
    for folder in shelf_folders(kind.packaged):
        shelved = folder / path.name
        try:
            if shelved.is_file() and path.is_file() and shelved.read_bytes() == path.read_bytes():
                return shelved
        except OSError:
            return None
    return None


def _hyphened(path: Path) -> str:
    return path.stem.replace("_", "-")
