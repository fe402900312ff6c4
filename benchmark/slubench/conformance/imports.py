"""What a declaration's file may import: slubench, plain modules, and torch inside functions."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import NamedTuple

import slubench
from slubench.conformance.verdict import Verdict, judged

# Of the standard library what computes and reaches neither files nor network nor other processes.
PLAIN = frozenset(
    "__future__ bisect collections dataclasses enum fractions functools hashlib heapq itertools json math"
    " operator random re statistics string typing unicodedata".split()
)
# Heavy libraries that a function may import when it is called; listing stays free of them.
INSIDE = frozenset({"torch"})
# Ways round an import statement, and round the pool.
BUILTINS = frozenset({"__import__", "compile", "eval", "exec", "open"})


class Imported(NamedTuple):
    """An import statement.

    Attributes:
        module: The module, or the name in it, as in `slubench.corpus` or `slubench.Stage`.
        line: Where it stands.
        inside: Whether it stands in a function.
    """

    module: str
    line: int
    inside: bool


def strategy_imports(file: Path) -> Verdict:
    """A strategy's file imports the face of slubench, plain modules, and torch inside functions alone."""
    remedy = (
        "Import names of slubench's face (`from slubench import Stage`), plain modules of the standard"
        " library (math, random, ...) and, inside functions, torch. All data comes from the pool."
    )
    return judged("imports what it may", _wrong(file, face=frozenset(slubench.__all__)), remedy)


def task_imports(file: Path) -> Verdict:
    """A task's file imports slubench and plain modules alone."""
    remedy = "Import slubench and plain modules of the standard library; what reads files is slubench's part."
    return judged("imports what it may", _wrong(file, face=None), remedy)


def imported(tree: ast.AST) -> Iterator[Imported]:
    """Every import of a module, wherever in it."""
    inside = {
        id(node)
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for node in ast.walk(function)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Imported(alias.name, node.lineno, id(node) in inside)
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            names = [f"{module}.{alias.name}" for alias in node.names] if module == "slubench" else [module]
            for name in names:
                yield Imported(name, node.lineno, id(node) in inside)


def _wrong(file: Path, face: Collection[str] | None) -> Iterator[str]:
    tree = ast.parse(file.read_text("utf-8"))
    for module, line, inside in imported(tree):
        top, _, rest = module.partition(".")
        if top == "slubench":
            # `import slubench.training` and `from slubench.training import train` reach past the face.
            if face is not None and rest and rest not in face:
                yield f"line {line}: {module} is not of slubench's face"
        elif top in INSIDE and face is not None:
            if not inside:
                yield f"line {line}: {module} outside a function"
        elif top not in PLAIN:
            yield f"line {line}: {module or 'a relative import'}"
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in BUILTINS and isinstance(node.ctx, ast.Load):
            yield f"line {node.lineno}: {node.id}"
