"""The registry: finds declarations in the package, in plugins, in HOME, or in a file given by path."""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, cast

import slubench
from slubench.domain.family import Family
from slubench.domain.metric import Metric
from slubench.domain.model import Model
from slubench.domain.strategy import Strategy
from slubench.domain.task import Task
from slubench.errors import DeclarationError, UsageError, shown_path, unknown
from slubench.registry.declaration_sources import DeclarationSource, sources, twin_of
from slubench.registry.kinds import BY_NAME, BY_PLURAL, Kind
from slubench.registry.load import declared_twice, load_file, none_declared, the_one


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
        if Path(name).is_file() and name not in self._shelf(kind).found:
            return self._from_file(kind, Path(name))
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
        for source in sources(kind, self.home):
            try:
                loaded = source.load()
                if source.must and not loaded.declarations:
                    raise DeclarationError(none_declared(source.origin, kind))
                clashes = self._take(shelf, loaded.declarations, source.origin)
                if clashes:
                    raise DeclarationError(declared_twice(kind, clashes, source.origin))
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
        twin = twin_of(path, kind)
        if twin is not None:
            for aside in self._shelf(kind).set_aside:
                if aside.source.origin == str(twin):
                    raise DeclarationError(aside.reason)
            found = [one for one in self.all_of(kind).values() if self.origin(one) == str(twin)]
            return the_one(found, path, kind)
        if not os.path.lexists(path):
            told = f"There is no {kind.name} file {shown_path(str(path))}. {kind.start}"
            raise DeclarationError(told.rstrip())
        if path.is_file() and path.suffix != ".py":
            told = f"{shown_path(str(path))} does not end in .py; a {kind.name} is declared in a Python file."
            raise DeclarationError(f"{told} {kind.start}".rstrip())
        loaded = load_file(path, kind)
        declaration = the_one(loaded.declarations, path, kind)
        shelf = self._shelf(kind)
        other = shelf.found.get(declaration.name)
        if other is not None and os.path.realpath(self.origin(other)) != os.path.realpath(path):
            raise DeclarationError(declared_twice(kind, {declaration.name: self.origin(other)}, str(path)))
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
    return cast(Strategy, the_one(load_file(path, kind).declarations, path, kind))


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
