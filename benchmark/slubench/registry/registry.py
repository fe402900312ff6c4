"""The registry: finds declarations in the package, in plugins, in HOME, or in a file given by path."""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, NamedTuple, cast

import slubench
from slubench.domain.family import Family
from slubench.domain.metric import Metric
from slubench.domain.model import Model
from slubench.domain.strategy import Strategy
from slubench.domain.task import Task
from slubench.errors import DeclarationError, UsageError, shown_path, unknown
from slubench.registry.kinds import BY_NAME, BY_PLURAL, Kind, shelf_folders
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


class SetAside(NamedTuple):
    """A file or plugin that cannot be used, with the reason; everything else still works.

    Attributes:
        source: What it is.
        reason: One line that names it and says why.
    """

    source: DeclarationSource
    reason: str


@dataclass
class _Shelf:
    found: dict[str, Any]
    set_aside: list[SetAside]
    unsaid: list[str]


def _silent(line: str) -> None:
    pass


@dataclass(frozen=True)
class Registry:
    """All declarations; each kind is read on first use.

    Every kind of `slubench.registry.kinds.KINDS` is an attribute by its plural (a mapping by name) and a
    method by its name (`registry.view("cost")`).

    Attributes:
        home: Folder whose `tasks/`, `strategies/` and so on hold a user's own declarations.
        say: Takes a line about each file or plugin that is set aside, once.
    """

    home: Path | None = None
    say: Callable[[str], None] = field(default=_silent, repr=False, compare=False)
    _shelves: dict[str, _Shelf] = field(default_factory=dict, init=False, repr=False, compare=False)
    # The declarations are kept, so that no other object gets the id of one.
    _completed: dict[int, tuple[Model, Model]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    _origins: dict[int, tuple[Any, str]] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def tasks(self) -> Mapping[str, Task]:
        """Every task by name."""
        return self.all_of(BY_NAME["task"])

    @property
    def strategies(self) -> Mapping[str, Strategy]:
        """Every strategy by name."""
        return self.all_of(BY_NAME["strategy"])

    @property
    def models(self) -> Mapping[str, Model]:
        """Every model by name, completed with its family's defaults."""
        return {name: self.complete(model) for name, model in self.all_of(BY_NAME["model"]).items()}

    @property
    def families(self) -> Mapping[str, Family]:
        """Every model family by name (a `model_type`)."""
        return self.all_of(BY_NAME["family"])

    @property
    def metrics(self) -> Mapping[str, Metric]:
        """Every metric by name, in the order of the tables."""
        found = self.all_of(BY_NAME["metric"]).values()
        return {one.name: one for one in sorted(found, key=lambda one: (one.order, one.name))}

    def task(self, name: str) -> Task:
        """The task of that name or file; see `find`."""
        return cast(Task, self.find(BY_NAME["task"], name))

    def strategy(self, name: str) -> Strategy:
        """The strategy of that name or file; see `find`."""
        return cast(Strategy, self.find(BY_NAME["strategy"], name))

    def model(self, name: str) -> Model:
        """The model of that name or file, completed with its family's defaults; see `find`."""
        return self.complete(cast(Model, self.find(BY_NAME["model"], name)))

    def family(self, model_type: str, of: str = "") -> Family:
        """The family of a `model_type`.

        Args:
            model_type: As `config.json` names it.
            of: What has it, for the message.

        Raises:
            UsageError: No family is declared for it; the message says which are and where one goes.
        """
        for family in self.families.values():
            if model_type in family.model_types:
                return family
        known = ", ".join(self.families)
        folder = (self.home or Path("HOME")) / "families"
        raise UsageError(
            f"{of or 'The model'} is of the unknown family {model_type!r}."
            f" Known families: {known}. Declare it in a file in {folder}, or in a plugin (entry point group"
            " slubench.families); see benchmark/slubench/models/families/qwen2_audio.py for an example."
        )

    def complete(self, model: Model) -> Model:
        """A model completed with its family's defaults; unchanged if its family is unknown."""
        if id(model) not in self._completed:
            families = (one for one in self.families.values() if model.family in one.model_types)
            family = next(families, None)
            made = model if family is None else family.complete(model, self._family_file(family))
            self._completed[id(model)] = (model, made)
            self._completed[id(made)] = (made, made)
            self._origins.setdefault(id(made), (made, self.origin(model)))
        return self._completed[id(model)][1]

    def _family_file(self, family: Family) -> str:
        """The file from which the training and serving processes read a family; empty for known names."""
        origin = Path(self.origin(family))
        inside = any(origin.is_relative_to(Path(root).resolve()) for root in slubench.__path__)
        return "" if inside or not origin.is_file() else str(origin.resolve())

    def __getattr__(self, name: str) -> Any:
        """All declarations of a kind by its plural, and the look-up of one by the kind's name."""
        if name in BY_PLURAL:
            return self.all_of(BY_PLURAL[name])
        if name in BY_NAME:
            return partial(self.find, BY_NAME[name])
        raise AttributeError(f"A registry has no {name!r}")

    def all_of(self, kind: Kind) -> Mapping[str, Any]:
        """Every declaration of a kind by name."""
        shelf = self._shelf(kind)
        self._tell(shelf)
        return shelf.found

    def find(self, kind: Kind, name: str) -> Any:
        """The declaration of that name, or of the file with that path.

        Raises:
            UsageError: There is none; the message holds the near names.
            DeclarationError: The file, or the one that is named so, does not import, does not declare
                exactly one, or declares a name that is taken.
        """
        if name.endswith(".py") or "/" in name or os.sep in name:
            return self._from_file(kind, Path(name).expanduser())
        return self.find_named(kind, name)

    def find_named(self, kind: Kind, name: str) -> Any:
        """The declaration of that name; one that looks like a path is a name too, and no file is read.

        Raises:
            UsageError: There is none; the message holds the near names.
            DeclarationError: The file that is named so does not import.
        """
        shelf = self._shelf(kind)
        culprit = None if name in shelf.found else _meant(name, shelf)
        self._tell(shelf, culprit)
        if culprit is not None:
            raise DeclarationError(culprit.reason)
        if name not in shelf.found:
            raise unknown(kind.name, name, shelf.found, kind.hint)
        return shelf.found[name]

    def origin(self, declaration: Any) -> str:
        """The file or plugin of a declaration; empty if it is not from this registry."""
        return self._origins.get(id(declaration), (None, ""))[1]

    def set_aside(self, kind: Kind) -> list[SetAside]:
        """The files and plugins that cannot be used, with the reasons."""
        return list(self._shelf(kind).set_aside)

    def _tell(self, shelf: _Shelf, but: SetAside | None = None) -> None:
        for line in shelf.unsaid:
            if but is None or line != f"set aside: {but.reason}":
                self.say(line)
        shelf.unsaid.clear()

    def _shelf(self, kind: Kind) -> _Shelf:
        if kind.plural not in self._shelves:
            self._shelves[kind.plural] = self._collect(kind)
        return self._shelves[kind.plural]

    def _collect(self, kind: Kind) -> _Shelf:
        shelf = _Shelf({}, [], [])
        for source in _sources(kind, self.home):
            try:
                loaded = source.load()
                if source.must and not loaded.declarations:
                    raise DeclarationError(_none(source.origin, kind))
                clashes = self._take(shelf, loaded.declarations, source.origin)
                if clashes:
                    raise DeclarationError(_twice(kind, clashes, source.origin))
                if loaded.note:
                    shelf.unsaid.append(loaded.note)
            except DeclarationError as error:
                shelf.set_aside.append(SetAside(source, str(error)))
                shelf.unsaid.append(f"set aside: {error}")
        shelf.found = dict(sorted(shelf.found.items()))
        return shelf

    def _take(self, shelf: _Shelf, declarations: list[Any], origin: str) -> dict[str, str]:
        """Add declarations with new names; returns the names that are taken, with their origins."""
        clashes: dict[str, str] = {}
        for declaration in declarations:
            other = shelf.found.setdefault(declaration.name, declaration)
            if other is declaration:
                self._origins.setdefault(id(declaration), (declaration, origin))
            else:
                clashes[declaration.name] = self.origin(other)
        return clashes

    def _from_file(self, kind: Kind, path: Path) -> Any:
        twin = _twin(path, kind)
        if twin is not None:
            for aside in self._shelf(kind).set_aside:
                if aside.source.origin == str(twin):
                    raise DeclarationError(aside.reason)
            found = [one for one in self.all_of(kind).values() if self.origin(one) == str(twin)]
            return _one(found, path, kind)
        if not os.path.lexists(path):
            told = f"There is no {kind.name} file {shown_path(str(path))}. {kind.start}"
            raise DeclarationError(told.rstrip())
        loaded = load_file(path, kind)
        declaration = _one(loaded.declarations, path, kind)
        shelf = self._shelf(kind)
        other = shelf.found.get(declaration.name)
        if other is not None and os.path.realpath(self.origin(other)) != os.path.realpath(path):
            raise DeclarationError(_twice(kind, {declaration.name: self.origin(other)}, str(path)))
        self._tell(shelf)
        if loaded.note:
            self.say(loaded.note)
        self._origins[id(declaration)] = (declaration, str(path.resolve()))
        return declaration


def strategy_in(path: Path) -> Strategy:
    """The one strategy that a file declares, even if its name is taken.

    Raises:
        DeclarationError: The file is not there, does not import, or does not declare exactly one strategy.
    """
    kind = BY_NAME["strategy"]
    if not os.path.lexists(path):
        raise DeclarationError(f"There is no {kind.name} file {shown_path(str(path))}. {kind.start}")
    return cast(Strategy, _one(load_file(path, kind).declarations, path, kind))


def _sources(kind: Kind, home: Path | None) -> Iterator[DeclarationSource]:
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
            if os.path.realpath(path) not in seen and _twin(path, kind) is None:
                yield DeclarationSource(str(path), _hyphened(path), partial(load_file, path, kind), must=True)


def _twin(path: Path, kind: Kind) -> Path | None:
    """The file of the package's shelf that a file is, or is a copy of, as in another checkout."""
    for folder in shelf_folders(kind.packaged):
        shelved = folder / path.name
        try:
            if shelved.is_file() and path.is_file() and shelved.read_bytes() == path.read_bytes():
                return shelved
        except OSError:
            return None
    return None


def _meant(name: str, shelf: _Shelf) -> SetAside | None:
    """A file that was set aside and that an unknown name may refer to."""
    for aside in shelf.set_aside:
        if name in (aside.source.name, aside.source.origin) or _names(aside.source.origin, name):
            return aside
    asides = {aside.source.name: aside for aside in shelf.set_aside}
    near = difflib.get_close_matches(name, [*shelf.found, *asides], n=1, cutoff=0.6)
    return asides.get(near[0]) if near and near[0] not in shelf.found else None


def _names(origin: str, name: str) -> bool:
    """Whether a file that cannot be imported contains the name in quotes."""
    path = Path(origin)
    try:
        # Reading a pipe would wait for someone to write to it.
        text = path.read_bytes() if path.is_file() else b""
    except (OSError, ValueError):
        return False
    return any(f"{quote}{name}{quote}".encode() in text for quote in "\"'")


def _hyphened(path: Path) -> str:
    return path.stem.replace("_", "-")


def _one(declared: list[Any], path: Path, kind: Kind) -> Any:
    if not declared:
        raise DeclarationError(_none(str(path), kind))
    if len(declared) > 1:
        names = ", ".join(one.name for one in declared[:8]) + (", ..." if len(declared) > 8 else "")
        raise DeclarationError(
            f"{shown_path(str(path))} declares {len(declared)} {kind.plural} ({names}); a path must lead to"
            " a file with one."
        )
    return declared[0]


def _none(origin: str, kind: Kind) -> str:
    return (
        f"{shown_path(origin)} declares no {kind.name}: no name at its top level is assigned"
        f" {kind.noun.partition(':')[2]}(...), and imported ones do not count."
        " Files whose names begin with _ are not read."
    )


def _twice(kind: Kind, clashes: Mapping[str, str], origin: str) -> str:
    (name, other), *rest = clashes.items()
    more = f" (and {len(rest)} more of this file)" if rest else ""
    return (
        f"The {kind.name} {name!r}{more} is declared twice: in {shown_path(origin)} and in"
        f" {shown_path(other)}. Give one of them another name."
    )
