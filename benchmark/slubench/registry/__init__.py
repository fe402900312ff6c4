"""Finds what is declared: on the shelves, by installed plugins, in HOME, or in a file that is named."""

from __future__ import annotations

import importlib
import importlib.util
import sys
import traceback
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from importlib.machinery import SourceFileLoader
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any, TypeVar

import slubench
from slubench._checkout import SHELF, is_checkout, shelf_folders
from slubench.domain.model import Model
from slubench.domain.strategy import Strategy
from slubench.domain.task import Task
from slubench.errors import DeclarationError, unknown
from slubench.registry.function_source import check_functions


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


T = TypeVar("T", Task, Strategy, Model)


@dataclass(frozen=True)
class Registry:
    """The declarations that are found, each kind read when it is first asked for.

    Attributes:
        home: Folder whose `tasks/`, `strategies/` and `models/` hold a user's own declarations.
    """

    home: Path | None = None
    _origins: dict[int, str] = field(default_factory=dict, repr=False)

    @cached_property
    def tasks(self) -> Mapping[str, Task]:
        """Every task by name."""
        return self._collect("tasks", Task)

    @cached_property
    def strategies(self) -> Mapping[str, Strategy]:
        """Every strategy by name."""
        return self._collect("strategies", Strategy)

    @cached_property
    def models(self) -> Mapping[str, Model]:
        """Every model by name."""
        return self._collect("models", Model)

    def task(self, name: str) -> Task:
        """The task of that name.

        Raises:
            UsageError: There is none; the message holds the near names.
        """
        if name not in self.tasks:
            raise unknown("task", name, self.tasks, "`slubench list tasks` shows them all.")
        return self.tasks[name]

    def strategy(self, name: str) -> Strategy:
        """The strategy of that name, or the one that the file of that path declares.

        Raises:
            UsageError: There is none; the message holds the near names.
            DeclarationError: The file does not import, or does not declare exactly one strategy.
        """
        if name.endswith(".py") or "/" in name:
            return self._from_file(Path(name).expanduser())
        if name not in self.strategies:
            hint = "`slubench list strategies` shows them all; a path to a file is taken too."
            raise unknown("strategy", name, self.strategies, hint)
        return self.strategies[name]

    def model(self, name: str) -> Model:
        """The model of that name.

        Raises:
            UsageError: There is none; the message holds the near names.
        """
        if name not in self.models:
            hint = "`slubench list models` shows them all; a checkpoint's folder is taken too."
            raise unknown("model", name, self.models, hint)
        return self.models[name]

    def origin(self, declaration: Task | Strategy | Model) -> str:
        """The file (or plugin) that a declaration was read from."""
        return self._origins.get(id(declaration), "")

    def _from_file(self, path: Path) -> Strategy:
        strategy = strategy_in(path)
        shelved = self.strategies.get(strategy.name)
        if shelved is not None and Path(self.origin(shelved)).resolve() != path.resolve():
            raise DeclarationError(
                f"The strategy {strategy.name!r} is declared twice: in {path} and in {self.origin(shelved)}."
                " Give one of them another name."
            )
        self._origins[id(strategy)] = str(path.resolve())
        return strategy

    def _collect(self, shelf: str, kind: type[T]) -> dict[str, T]:
        found: dict[str, T] = {}
        for declaration, origin in self._declarations(shelf, kind):
            other = found.get(declaration.name)
            if other is not None:
                raise DeclarationError(
                    f"The {kind.__name__.lower()} {declaration.name!r} is declared twice: in"
                    f" {self.origin(other)} and in {origin}. Give one of them another name."
                )
            found[declaration.name] = declaration
            self._origins[id(declaration)] = origin
        return dict(sorted(found.items()))

    def _declarations(self, shelf: str, kind: type[T]) -> Iterator[tuple[T, str]]:
        seen: set[Path] = set()
        for folder in _shelf(shelf):
            for path in sorted(folder.glob("[!_]*.py")):
                seen.add(path.resolve())
                module = _import(f"slubench.{shelf}.{path.stem}", path)
                for declaration in _checked(module, kind):
                    yield declaration, str(path)
        for point in sorted(entry_points(group=f"slubench.{shelf}"), key=lambda point: point.name):
            for declaration in _plugged(point, kind):
                yield declaration, f"plugin {point.name} ({point.value})"
        if self.home is not None:
            for path in sorted((self.home / shelf).glob("[!_]*.py")):
                if path.resolve() not in seen:
                    for declaration in _checked(_load(path), kind):
                        yield declaration, str(path)


def strategy_in(path: Path) -> Strategy:
    """The one strategy that a file declares, whatever others there are of its name.

    Raises:
        DeclarationError: The file is not there, does not import, or does not declare exactly one strategy.
    """
    if not path.is_file():
        raise DeclarationError(
            f"There is no strategy file {path}. `slubench new strategy my-idea` writes one to start from."
        )
    found = list(_checked(_load(path), Strategy))
    if not found:
        raise DeclarationError(
            f"{path} declares no strategy: no module-level name in it is bound to Strategy(...)."
        )
    if len(found) > 1:
        names = ", ".join(strategy.name for strategy in found)
        raise DeclarationError(f"{path} declares {len(found)} strategies ({names}); name one a file.")
    return found[0]


def _shelf(name: str) -> list[Path]:
    return [folder for root in slubench.__path__ if (folder := Path(root) / name).is_dir()]


def _declared(module: ModuleType, kind: type[T]) -> Iterator[T]:
    """The values of `kind` bound at module level, alone or in a tuple or list, in order."""
    seen: set[int] = set()
    for value in list(vars(module).values()):
        for item in value if isinstance(value, tuple | list) else (value,):
            if isinstance(item, kind) and id(item) not in seen:
                seen.add(id(item))
                yield item


def _checked(module: ModuleType, kind: type[T]) -> Iterator[T]:
    """The same; of a strategy, what its functions can reach is known from source."""
    for declaration in _declared(module, kind):
        if isinstance(declaration, Strategy):
            check_functions(declaration, module)
        yield declaration


def _plugged(point: EntryPoint, kind: type[T]) -> Iterable[T]:
    try:
        loaded: Any = point.load()
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        raise DeclarationError(
            f"The plugin {point.name} ({point.value}) does not import: {reason}"
        ) from error
    found = list(_checked(loaded, kind)) if isinstance(loaded, ModuleType) else [loaded]
    if not found or not all(isinstance(item, kind) for item in found):
        raise DeclarationError(
            f"The plugin {point.name} ({point.value}) gives no {kind.__name__}; its entry point must name one"
            " or a module that declares some."
        )
    for item in found:
        if isinstance(item, Strategy) and not isinstance(loaded, ModuleType):
            check_functions(item, None)
    return found


def _import(name: str, path: Path) -> ModuleType:
    try:
        return importlib.import_module(name)
    except Exception as error:
        raise _explained(path, error) from error


def _load(path: Path) -> ModuleType:
    """Import a file that lies outside the package, under a name of its own."""
    name = f"slubench_declared_{abs(hash(path.resolve())):x}_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path, loader=_Afresh(name, str(path)))
    if spec is None or spec.loader is None:
        raise DeclarationError(f"{path} is not a Python file.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        raise _explained(path, error) from error
    return module


class _Afresh(SourceFileLoader):
    """Loads a file from its source: bytecode is told apart by second and size, and an edit may keep both."""

    def get_code(self, fullname: str) -> CodeType:
        """Compile the source as it is now."""
        path = self.get_filename(fullname)
        code: CodeType = self.source_to_code(self.get_data(path), path)
        return code


def _explained(path: Path, error: Exception) -> DeclarationError:
    if isinstance(error, SyntaxError):
        line = error.lineno
    else:
        frames = traceback.extract_tb(error.__traceback__)
        here = path.resolve()
        line = next((f.lineno for f in reversed(frames) if Path(f.filename).resolve() == here), None)
    place = f"{path}, line {line}" if line else str(path)
    return DeclarationError(f"{place}: the file does not import: {type(error).__name__}: {error}")
