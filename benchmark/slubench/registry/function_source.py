"""Digests the code that a strategy's function can reach, so that a changed strategy is trained again.

Nothing is sliced out: a function's digest is of its whole module, comments, docstrings and layout left out,
and of the modules beside it that any of these import. What their text does not settle is refused, see
`slubench.registry.refusals`.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import inspect
import sys
import sysconfig
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any, Final, NoReturn

import slubench
from slubench.domain.strategy import Strategy
from slubench.errors import DeclarationError
from slubench.registry.refusals import refusals

FUNCTIONS: Final = ("compose", "objective", "transform")
"""The fields of a stage that hold functions."""


@dataclass(frozen=True)
class Unimported:
    """A function of a file that was read but not imported; it has a source and cannot be called.

    Attributes:
        name: Its name in the file.
        text: The whole file.
    """

    name: str
    text: str

    def __call__(self, *arguments: object) -> NoReturn:
        """Raise an error: no code of the file is run."""
        raise DeclarationError(f"{self.name} is in a file that was read without being imported.")


def function_source(function: Callable[..., Any]) -> str:
    """The identity of a function: its name, and a digest of its module and of the modules it uses.

    Args:
        function: A plain function of a module, or one of a file that was not imported.

    Raises:
        DeclarationError: What it can reach cannot be determined from source, see `refusals`.
    """
    if isinstance(function, Unimported):
        tree = _parsed(function.text, "the file")
        _refuse("the file", refusals(tree))
        if helpers := [name for name, _ in _imported(tree, "") if name.startswith(".")]:
            raise DeclarationError(
                f"the file imports {helpers[0]} from beside it; copy that code into the file itself."
            )
        return f"{function.name}:{_digest([normalised(tree)])}"
    module = sys.modules.get(getattr(function, "__module__", None) or "")
    name = plain_name(function, module)
    if module is None or name is None:
        raise DeclarationError(f"{_called(function)} {_NOT_PLAIN}")
    return f"{name}:{_digest(list(_sources(module)))}"


_NOT_PLAIN: Final = (
    "is not a plain function: what a lambda, closure, method, partial or function under `if` does cannot"
    " be determined from its source. Write `def name(...)` at the top level of the strategy's file and"
    " name it in the stage."
)


def check_functions(strategy: Strategy, module: ModuleType | None) -> None:
    """Check that what a strategy's functions can reach can be determined from source.

    Args:
        strategy: The strategy.
        module: The module that declares it; None where a plugin names the strategy itself.

    Raises:
        DeclarationError: It is not; the message names file, line, what is wrong, and the remedy.
    """
    functions = [
        (f"{field} of stage {number} of {strategy.name}", getattr(stage, field))
        for number, stage in enumerate(strategy.stages, 1)
        for field in FUNCTIONS
        if getattr(stage, field) is not None
    ]
    if strategy.choose is not None:
        functions.append((f"choose of {strategy.name}", strategy.choose))
    for what, function in functions:
        home = sys.modules.get(getattr(function, "__module__", None) or "")
        file = _file(module or home) if module or home else f"strategy {strategy.name}"
        if home is None or plain_name(function, home) is None:
            line = getattr(getattr(function, "__code__", None), "co_firstlineno", None)
            place = f"{file}, line {line}" if line else file
            raise DeclarationError(f"{place}: the {what} {_NOT_PLAIN}")
        if module is not None and home is not module:
            raise DeclarationError(
                f"{file}: the {what} is defined in {function.__module__}. Define it in the file that declares"
                " the strategy; it may call functions of other modules beside that file."
            )
        list(_sources(home))


def plain_name(function: object, module: ModuleType | None) -> str | None:
    """The name under which a module defines a function at its top level, or None."""
    if not isinstance(function, FunctionType) or module is None:
        return None
    tree = _parsed(_text(module), _file(module))
    names = [
        statement.name
        for statement in tree.body
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    return next((name for name in names if vars(module).get(name) is function), None)


def normalised(tree: ast.Module) -> str:
    """A module as text that does not depend on comments, docstrings, layout or the version of Python.

    Docstrings stay where the module looks at them.
    """
    names = {
        getattr(node, field, None)
        for node in ast.walk(tree)
        for field in ("id", "attr", "value")
        if isinstance(node, ast.Name | ast.Attribute | ast.Constant)
    }
    return _dumped(tree, keep="__doc__" in names)


def _dumped(node: object, keep: bool) -> str:
    if isinstance(node, ast.AST):
        parts = []
        for field, value in ast.iter_fields(node):
            if field in ("ctx", "type_comment", "kind", "type_ignores"):
                continue
            if field == "body" and isinstance(value, list) and not keep and _DOCUMENTED & {type(node)}:
                first = value[0] if value else None
                if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                    value = value[1:] if isinstance(first.value.value, str) else value
            # What a later Python adds to its syntax trees is empty where it is not used.
            if value is None and not isinstance(node, ast.Constant):
                continue
            if isinstance(value, list) and not value:
                continue
            parts.append(f"{field}={_dumped(value, keep)}")
        return f"{type(node).__name__}({', '.join(parts)})"
    if isinstance(node, list):
        return f"[{', '.join(_dumped(one, keep) for one in node)}]"
    return f"{type(node).__name__}:{node!r}"


_DOCUMENTED: Final = {ast.Module, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef}


def _sources(module: ModuleType) -> Iterator[str]:
    """A module and the modules it imports from beside it, each once, normalised."""
    file = Path(_file(module))
    package = module.__spec__.parent if module.__spec__ else None
    queue: list[tuple[Path, str]] = [(file.resolve(), package or "")]
    seen: set[Path] = set()
    while queue:
        path, package = queue.pop(0)
        if path in seen:
            continue
        seen.add(path)
        text = _text(module) if path == file.resolve() else path.read_text("utf-8")
        tree = _parsed(text, str(path))
        _refuse(str(path), refusals(tree))
        yield normalised(tree) if len(seen) == 1 else f"{path.name}:{normalised(tree)}"
        for name, line in _imported(tree, package):
            found = _beside(name, path, file.resolve(), f"{path}, line {line}")
            queue += [] if found is None else [found]


def _imported(tree: ast.Module, package: str) -> Iterator[tuple[str, int]]:
    """The modules that a module may import, by full name if the package is known, and the line.

    What is imported from a package may be a module of it or a name in it: both are given.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                parts = alias.name.split(".")
                for end in range(1, len(parts) + 1):
                    yield ".".join(parts[:end]), node.lineno
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1] if package else [""]
                base = ".".join([*above, base]).rstrip(".") if package else f".{base}"
            parts = base.split(".")
            for end in range(1, len(parts) + 1):
                yield ".".join(parts[:end]) or ".", node.lineno
            for alias in node.names:
                yield f"{base}.{alias.name}", node.lineno


def _beside(name: str, importer: Path, declaring: Path, place: str) -> tuple[Path, str] | None:
    """The file of a module that is part of the strategy; None if it belongs to a library or slubench.

    Nothing is imported to find it.
    """
    parts = name.strip(".").split(".")
    if not parts[0]:
        return None
    found = _in_folders((importer.parent, declaring.parent), parts)
    if found is None and not name.startswith("."):
        found = _on_path(parts)
    if found is None or _is_library(found, declaring):
        return None
    if found.suffix != ".py":
        raise DeclarationError(
            f"{place}: {name} beside the strategy has no Python source; write it in Python."
        )
    return found.resolve(), ".".join(parts if found.stem == "__init__" else parts[:-1])


def _in_folders(folders: Iterable[Path], parts: Sequence[str]) -> Path | None:
    for folder in dict.fromkeys(folders):
        for path in (folder.joinpath(*parts[:-1], f"{parts[-1]}.py"), folder.joinpath(*parts, "__init__.py")):
            if path.is_file():
                return path
    return None


def _on_path(parts: Sequence[str]) -> Path | None:
    loaded = sys.modules.get(parts[0])
    try:
        # Of a name without dots nothing is imported.
        spec = (loaded.__spec__ if loaded is not None else None) or importlib.util.find_spec(parts[0])
    except (ImportError, ValueError):
        return None
    if spec is None or spec.origin in ("built-in", "frozen"):
        return None
    if len(parts) == 1:
        return Path(spec.origin) if spec.origin else None
    places = getattr(loaded, "__path__", None) or spec.submodule_search_locations or ()
    return _in_folders(map(Path, places), parts[1:])


def _is_library(found: Path, declaring: Path) -> bool:
    """Whether a module belongs to Python, slubench or an installed library other than the strategy's own."""
    path = found.resolve()
    package = Path(slubench.__file__).resolve().parent
    if path.is_relative_to(package):
        return not (declaring.is_relative_to(package) and path.is_relative_to(declaring.parent))
    paths = {
        Path(sysconfig.get_paths()[name]).resolve() for name in ("stdlib", "platstdlib", "purelib", "platlib")
    }
    within = [root for root in paths if path.is_relative_to(root)]
    if not within:
        # Libraries may be installed as links to a store, as by `uv pip install --link-mode symlink`.
        linked = any(found.absolute().is_relative_to(root) for root in paths)
        return linked and not path.is_relative_to(declaring.parent)
    root = max(within, key=lambda one: len(one.parts))
    # An installed plugin's own package is part of the strategy; other libraries are not.
    return not (declaring.is_relative_to(root) and _top(path, root) == _top(declaring, root))


def _top(path: Path, root: Path) -> str:
    return path.relative_to(root).parts[0]


def _digest(sources: list[str]) -> str:
    return hashlib.sha256("\0".join([sources[0], *sorted(sources[1:])]).encode()).hexdigest()


def _refuse(file: str, found: Iterator[tuple[int, str]]) -> None:
    for line, why in sorted(found):
        raise DeclarationError(
            f"{file}, line {line}: {why}. Everything that a compose, objective or transform uses must be"
            " visible in the source, so that a changed strategy is never taken for the one that was trained."
        )


def _parsed(text: str, file: str) -> ast.Module:
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise DeclarationError(f"{file}: not valid Python ({error}).") from None


def _text(module: ModuleType) -> str:
    try:
        return inspect.getsource(module)
    except (OSError, TypeError):
        raise DeclarationError(
            f"The source of {_file(module)} was not found; a strategy with functions needs it."
        ) from None


def _file(module: ModuleType | None) -> str:
    return str(getattr(module, "__file__", None) or getattr(module, "__name__", "the file"))


def _called(function: object) -> str:
    return str(getattr(function, "__qualname__", None) or type(function).__name__)
