"""The source a function depends on within its file, so that a changed strategy is trained afresh."""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn

from slubench.errors import DeclarationError


@dataclass(frozen=True)
class Unimported:
    """A function of a file that was read and not imported: it has a source and can't be called.

    Attributes:
        name: Its name in the file.
        text: The whole file.
    """

    name: str
    text: str

    def __call__(self, *arguments: object) -> NoReturn:
        """Refuse: nothing of the file runs."""
        raise DeclarationError(f"{self.name} stands in a file that was read without being imported.")


def function_source(function: Callable[..., Any]) -> str:
    """The source of a function with the module constants and same-file helpers it uses, comments left out.

    What it imports from elsewhere is named by the import statement alone.

    Args:
        function: A plain function of a module, or one of a file that was not imported.

    Returns:
        Statements of the module in their order there.
    """
    if isinstance(function, Unimported):
        start, text = function.name, function.text
    else:
        start, text = function.__name__, inspect.getsource(sys.modules[function.__module__])
    tree = ast.parse(text)
    statements: dict[str, list[ast.stmt]] = {}
    for statement in tree.body:
        for name in _binds(statement):
            statements.setdefault(name, []).append(statement)
    wanted, queue = set[int](), [start]
    kept: list[ast.stmt] = []
    while queue:
        for statement in statements.get(queue.pop(), []):
            if id(statement) not in wanted:
                wanted.add(id(statement))
                kept.append(statement)
                queue += [node.id for node in ast.walk(statement) if isinstance(node, ast.Name)]
    kept.sort(key=lambda statement: statement.lineno)
    return "\n".join(ast.unparse(_without_docstrings(statement)) for statement in kept)


def _binds(statement: ast.stmt) -> list[str]:
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [statement.name]
    if isinstance(statement, ast.Import | ast.ImportFrom):
        return [alias.asname or alias.name.split(".")[0] for alias in statement.names]
    if isinstance(statement, ast.Assign | ast.AnnAssign | ast.AugAssign):
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        return [node.id for target in targets for node in ast.walk(target) if isinstance(node, ast.Name)]
    return []


def _without_docstrings(statement: ast.stmt) -> ast.stmt:
    for node in ast.walk(statement):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            first = node.body[0]
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and len(node.body) > 1:
                node.body = node.body[1:]
    return statement
