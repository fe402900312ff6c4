"""Loads files and plugins, and finds the declarations that they make themselves."""

from __future__ import annotations

import ast
import contextlib
import dataclasses
import dis
import importlib
import importlib.util
import os
import stat
import sys
import traceback
from collections.abc import Iterator, Mapping
from importlib.machinery import SourceFileLoader
from importlib.metadata import EntryPoint
from pathlib import Path
from types import CodeType, ModuleType, TracebackType
from typing import Any, NamedTuple

from slubench.domain.declared_types import check_all
from slubench.domain.strategy import Strategy
from slubench.errors import DeclarationError, shown, shown_path
from slubench.registry.function_source import check_functions
from slubench.registry.kinds import BY_NAME, KINDS, Kind
from slubench.registry.moved_modules import old_names, told

_LONGEST = 300


class Loaded(NamedTuple):
    """What a file or plugin declares.

    Attributes:
        declarations: Its own, in order; what it imports is declared elsewhere.
        note: A line about old names that it imports, or empty.
    """

    declarations: list[Any]
    note: str


def load_file(path: Path, kind: Kind, shelf_module: str = "") -> Loaded:
    """Import a file.

    Args:
        path: The file.
        kind: What is looked for in it.
        shelf_module: Its name within the package, of a file on the package's shelf; other files get a name
            of their own.

    Raises:
        DeclarationError: It does not import, whatever it raised.
    """
    _check_regular(path)
    try:
        # Python lets a comment be anything; whoever shows the file reads it as UTF-8.
        text = path.read_text("utf-8")
        with _aside() as used:
            module = importlib.import_module(shelf_module) if shelf_module else _from_file(path)
        declared = _own(module, text.encode(), kind.type())
    except BaseException as error:
        if _interrupted(error):
            raise
        raise _explained(path, error) from error
    _check_declared(declared, module, shown_path(str(path)))
    return Loaded(declared, told(shown_path(str(path)), used) if used else "")


def kind_of_file(path: Path) -> Kind:
    """The kind that a file declares, found from its text without importing it.

    That is the first kind whose class is called in it; a file in which none is, such as one that changes a
    strategy by `dataclasses.replace`, is taken for a strategy's.
    """
    try:
        tree = ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return BY_NAME["strategy"]
    calls = (node.func for node in ast.walk(tree) if isinstance(node, ast.Call))
    called = {function.id for function in calls if isinstance(function, ast.Name)}
    return next((kind for kind in KINDS if kind.noun.partition(":")[2] in called), BY_NAME["strategy"])


def load_plugin(point: EntryPoint, kind: Kind) -> Loaded:
    """Import what an entry point names: a declaration, a list of them, or a module that declares some.

    Raises:
        DeclarationError: It does not import, whatever it raised, or is none of these.
    """
    origin = plugin_name(point)
    noun = kind.type()
    try:
        with _aside() as used:
            value: Any = point.load()
            if isinstance(value, ModuleType):
                source = Path(value.__file__ or "")
                text = source.read_bytes() if source.suffix == ".py" and source.is_file() else b""
                declared = _own(value, text, noun, package=value.__name__.partition(".")[0])
            else:
                declared = list(value) if isinstance(value, tuple | list) else [value]
    except BaseException as error:
        if _interrupted(error):
            raise
        raise DeclarationError(f"The {origin} cannot be imported: {_told(error)}") from error
    if not declared or not all(isinstance(item, noun) for item in declared):
        raise DeclarationError(
            f"The {origin} has no {noun.__name__}; its entry point must name one, or a"
            " module that declares some."
        )
    _check_declared(declared, value if isinstance(value, ModuleType) else None, f"The {origin}")
    return Loaded(declared, told(f"The {origin}", used) if used else "")


def _check_declared(declared: list[Any], module: ModuleType | None, origin: str) -> None:
    """Check the types of all values, and that what a strategy's functions reach follows from their source."""
    for declaration in declared:
        if dataclasses.is_dataclass(declaration):
            try:
                check_all(
                    declaration, f"{type(declaration).__name__} {shown(getattr(declaration, 'name', ''))}"
                )
            except DeclarationError as error:
                raise DeclarationError(f"{origin}: {error}") from None
        if isinstance(declaration, Strategy):
            check_functions(declaration, module)


def plugin_name(point: EntryPoint) -> str:
    """A plugin's name in messages."""
    return f"plugin {point.name} ({point.value})"


@contextlib.contextmanager
def _aside() -> Iterator[dict[str, str]]:
    """Provide old names, and keep what a file prints out of stdout."""
    with old_names() as used, contextlib.redirect_stdout(sys.stderr):
        yield used


def _check_regular(path: Path) -> None:
    place = shown_path(str(path))
    try:
        mode = path.stat().st_mode
    except OSError as error:
        what = "is a broken link" if path.is_symlink() else "cannot be read"
        raise DeclarationError(f"{place} {what}: {error.strerror}") from error
    if stat.S_ISDIR(mode):
        raise DeclarationError(f"{place} is a folder, not a Python file; give it another name")
    if not stat.S_ISREG(mode):
        raise DeclarationError(f"{place} is not a regular file; pipes and devices are not read")


def _from_file(path: Path) -> ModuleType:
    """Import a file from outside the package, under a unique module name."""
    real = os.path.realpath(path)
    name = f"slubench_declared_{abs(hash(real)):x}_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path, loader=_Afresh(name, str(path)))
    if spec is None or spec.loader is None:
        raise ImportError("not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        sys.modules.pop(name, None)
        raise
    return module


class _Afresh(SourceFileLoader):
    """Loads a file from its source, since cached bytecode can be stale after an edit within a second."""

    def get_code(self, fullname: str) -> CodeType:
        """Compile the current source."""
        path = self.get_filename(fullname)
        code: CodeType = self.source_to_code(self.get_data(path), path)
        return code


def _own(module: ModuleType, text: bytes, noun: type, package: str = "") -> list[Any]:
    """The instances of `noun` at module level, alone or in a tuple or list, that the file does not import.

    Args:
        module: The module.
        text: Its source, whose import statements tell what it imports.
        noun: The class.
        package: A plugin's package: what one of its modules holds, another may pass on.
    """
    imported = {
        id(item)
        for name in _imports(module, text)
        if name != module.__name__ and not (package and f"{name}.".startswith(f"{package}."))
        if isinstance(other := sys.modules.get(name), ModuleType)
        for item in _instances(other, noun)
    }
    own = {id(item): item for item in _instances(module, noun)}
    return [item for key, item in own.items() if key not in imported]


def _instances(module: ModuleType, noun: type) -> Iterator[Any]:
    for value in list(vars(module).values()):
        for item in value if isinstance(value, tuple | list) else (value,):
            if isinstance(item, noun):
                yield item


def _imports(module: ModuleType, text: bytes) -> Iterator[str]:
    """Names of the modules in all import statements of a file."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            name = node.module or ""
            if node.level:
                name = importlib.util.resolve_name("." * node.level + name, module.__package__ or "")
            yield name
            yield from (f"{name}.{alias.name}" for alias in node.names)


def _interrupted(error: BaseException) -> bool:
    """Whether a user pressed Ctrl-C, rather than the file saying `raise KeyboardInterrupt`."""
    if not isinstance(error, KeyboardInterrupt):
        return False
    last: TracebackType | None = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    if last is None or last.tb_lasti < 0:
        return True
    return last.tb_frame.f_code.co_code[last.tb_lasti] != dis.opmap["RAISE_VARARGS"]


def _explained(path: Path, error: BaseException) -> DeclarationError:
    if isinstance(error, SyntaxError):
        line = error.lineno
    else:
        frames = traceback.extract_tb(error.__traceback__)
        here = os.path.realpath(path)
        line = next((f.lineno for f in reversed(frames) if os.path.realpath(f.filename) == here), None)
    place = shown_path(str(path)) + (f", line {line}" if line else "")
    return DeclarationError(f"{place}: the file cannot be imported: {_told(error)}")


def _told(error: BaseException) -> str:
    """An error in one line, shortened if necessary."""
    try:
        text = str(error)
    except BaseException:
        text = "its message cannot be shown"
    words = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    cut = words if len(words) <= _LONGEST else words[: _LONGEST - 3] + "..."
    return f"{type(error).__name__}: {cut}" if cut else type(error).__name__


def the_one(declared: list[Any], path: Path, kind: Kind) -> Any:
    """The only declaration of a file.

    Raises:
        DeclarationError: There is none, or there are several.
    """
    if not declared:
        raise DeclarationError(none_declared(str(path), kind))
    if len(declared) > 1:
        names = ", ".join(one.name for one in declared[:8]) + (", ..." if len(declared) > 8 else "")
        raise DeclarationError(
            f"{shown_path(str(path))} declares {len(declared)} {kind.plural} ({names}); a path must lead to"
            " a file with one."
        )
    return declared[0]


def none_declared(origin: str, kind: Kind) -> str:
    """What is said of a file or plugin that declares nothing."""
    return (
        f"{shown_path(origin)} declares no {kind.name}: no name at its top level is assigned"
        f" {kind.noun.partition(':')[2]}(...), and imported ones do not count."
        " Files whose names begin with _ are not read."
    )


def declared_twice(kind: Kind, clashes: Mapping[str, str], origin: str) -> str:
    """What is said of a name that is taken, with the place of the other declaration."""
    (name, other), *rest = clashes.items()
    more = f" (and {len(rest)} more of this file)" if rest else ""
    return (
        f"The {kind.name} {name!r}{more} is declared twice: in {shown_path(origin)} and in"
        f" {shown_path(other)}. Give one of them another name."
    )
