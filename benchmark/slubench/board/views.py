"""Finds views: every `View` at module level in the files of the leaderboard's shelf."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from slubench._checkout import is_checkout
from slubench.errors import DeclarationError
from slubench.view import View

SHELF = "slubench.leaderboard"


def shelf_folders() -> list[Path]:
    """The folders of the shelf: at a checkout's root, or within the installed package."""
    return [Path(folder) for folder in importlib.import_module(SHELF).__path__]


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


def _modules(home: Path | None) -> Iterator[tuple[ModuleType, Path]]:
    for folder in shelf_folders():
        for path in sorted(folder.glob("*.py")):
            yield _loaded(f"{SHELF}.{path.stem}", path, on_shelf=True), path
    if home is not None and not is_checkout(home):
        for path in sorted((home / "leaderboard").glob("*.py")):
            yield _loaded(f"slubench_home_view_{path.stem}", path, on_shelf=False), path


def _loaded(name: str, path: Path, *, on_shelf: bool) -> ModuleType:
    try:
        return importlib.import_module(name) if on_shelf else _from_file(name, path)
    except DeclarationError:
        raise
    except Exception as error:
        line = error.lineno if isinstance(error, SyntaxError) else _line_in(path, error)
        place = f"{path}, line {line}" if line else str(path)
        raise DeclarationError(f"{place}: does not import: {type(error).__name__}: {error}") from error


def _from_file(name: str, path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise DeclarationError(f"{path}: is not a Python file")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _line_in(path: Path, error: Exception) -> int | None:
    line, frame = None, error.__traceback__
    while frame is not None:
        if frame.tb_frame.f_code.co_filename == str(path):
            line = frame.tb_lineno
        frame = frame.tb_next
    return line
