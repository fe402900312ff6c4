"""Reads a strategy's file without importing it: values are computed, functions stay text."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from slubench.domain.strategy import SPEECH, TEXT, Stage, Strategy
from slubench.errors import DeclarationError, SlubenchError, shown
from slubench.registry.function_source import Unimported
from slubench.registry.refusals import refusals

_NOUNS: Final[Mapping[str, Any]] = {"Stage": Stage, "Strategy": Strategy, "TEXT": TEXT, "SPEECH": SPEECH}
_OPERATIONS: Final[Mapping[type[ast.AST], Callable[..., Any]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.BitOr: operator.or_,
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
}
# Where a strategy's nouns are imported from; the last is the name of 0.1.0.
_FACES: Final = ("slubench", "slubench.domain.strategy", "slubench.strategy")
_DEEPEST: Final = 50
_LARGEST: Final = 1_000


class Unreadable(SlubenchError):
    """The strategy cannot be determined without running the file."""


def read_strategy(text: str, name: str) -> Strategy:
    """The strategy of that name declared at a file's top level.

    Read are constants, names bound to what is read, tuples and lists, `+ - * / |` on numbers and
    modalities, and `Stage(...)` and `Strategy(...)`; a `compose` or `objective` is a function of the file.

    Args:
        text: The file.
        name: The strategy's name.

    Returns:
        The strategy; its functions are `slubench.registry.function_source.Unimported`.

    Raises:
        Unreadable: It is not Python, or its strategy of that name cannot be determined.
    """
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise Unreadable(f"it is not valid Python ({shown(str(error), 120)})") from None
    unsettled = sorted({*refusals(tree), *_rebinding(tree)})
    if unsettled:
        line, why = unsettled[0]
        raise Unreadable(
            f"line {line}: {why}; running it could declare a different strategy than the source shows"
        )
    reader, faults = _bound(text, tree)
    names: list[str] = []
    for strategy in reader.declared():
        names.append(strategy.name)
        if strategy.name == name:
            return strategy
    told = f" It declares: {', '.join(names[:5])}." if names else ""
    why = f" {'; '.join(faults[:3])}." if faults else ""
    raise Unreadable(
        f"no strategy {shown(name)} can be read from the file without running it.{told}{why}"
        " Write Strategy(...) and its Stage(...) out at the top level of the file."
    )


def names_in(text: str) -> list[str]:
    """The names of all strategies that a file declares at its top level, as far as they can be read."""
    reader, _ = _bound(text, ast.parse(text))
    return [strategy.name for strategy in reader.declared()]


def _bound(text: str, tree: ast.Module) -> tuple[_Reader, list[str]]:
    """A file's values, and why those that could not be read could not."""
    reader = _Reader(text)
    faults: list[str] = []
    for statement in tree.body:
        try:
            reader.bind(statement)
        except Unreadable as error:
            faults.append(f"line {statement.lineno}: {error}")
        except (DeclarationError, TypeError, ValueError, ArithmeticError, RecursionError) as error:
            faults.append(f"line {statement.lineno}: {shown(str(error), 160)}")
    return reader, faults


@dataclass
class _Reader:
    text: str
    bound: dict[str, Any] = field(default_factory=dict)

    def declared(self) -> list[Strategy]:
        found = []
        for value in self.bound.values():
            for one in value if isinstance(value, tuple | list) else (value,):
                if isinstance(one, Strategy) and one not in found:
                    found.append(one)
        return found

    def bind(self, statement: ast.stmt) -> None:
        """Bind the names of a statement whose values can be determined."""
        before = dict(self.bound)
        for name in _binds(statement):
            self.bound.pop(name, None)
        match statement:
            case ast.ImportFrom(module=module, level=0, names=names) if module in _FACES:
                for alias in names:
                    if alias.name in _NOUNS:
                        self.bound[alias.asname or alias.name] = _NOUNS[alias.name]
            case ast.FunctionDef(name=name, decorator_list=[]):
                self.bound[name] = Unimported(name, self.text)
            case (
                ast.Assign(targets=[ast.Name(id=name)], value=value)
                | ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value)
            ) if not any(isinstance(node, ast.NamedExpr) for node in ast.walk(value)):
                if _concerns(value, before):
                    self.bound[name] = _Reader(self.text, before).value(value)

    def value(self, node: ast.expr, depth: int = 0) -> Any:
        if depth > _DEEPEST:
            raise Unreadable("the file is nested too deeply")
        match node:
            case ast.Constant(value=str() | int() | float() | bool() | None):
                return node.value
            case ast.Name(id=name):
                if name not in self.bound:
                    raise Unreadable(f"{shown(name)} cannot be determined without running the file")
                if _size(self.bound[name]) > _LARGEST:
                    raise Unreadable(f"{shown(name)} holds more than {_LARGEST:,} values")
                return self.bound[name]
            case ast.Tuple(elts=elements):
                return tuple(self.value(element, depth + 1) for element in elements)
            case ast.List(elts=elements):
                return [self.value(element, depth + 1) for element in elements]
            case ast.UnaryOp(op=op, operand=operand) if type(op) in _OPERATIONS:
                return self._applied(op, self.value(operand, depth + 1))
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATIONS:
                return self._applied(op, self.value(left, depth + 1), self.value(right, depth + 1))
            case ast.Call(func=ast.Name(id=name), args=[], keywords=keywords):
                noun = self.bound.get(name)
                if noun not in (Stage, Strategy) or any(keyword.arg is None for keyword in keywords):
                    raise Unreadable(
                        f"the result of {shown(name)} cannot be determined without running the file"
                    )
                return noun(**{str(k.arg): self.value(k.value, depth + 1) for k in keywords})
        raise Unreadable(f"{shown(ast.unparse(node))} cannot be determined without running the file")

    def _applied(self, op: ast.AST, *operands: Any) -> Any:
        numbers = all(isinstance(one, int | float) and abs(one) < 1e9 for one in operands)
        modalities = isinstance(op, ast.BitOr) and all(isinstance(one, type(TEXT)) for one in operands)
        if not numbers and not modalities:
            raise Unreadable(f"{type(op).__name__} of something other than numbers")
        return _OPERATIONS[type(op)](*operands)


def _size(value: object) -> int:
    """How many values a value holds; a few lines of tuples of tuples hold more than can be counted."""
    left, count = [value], 0
    while left and count <= _LARGEST:
        one = left.pop()
        count += 1
        if isinstance(one, tuple | list):
            left += one
    return count


def _binds(statement: ast.stmt) -> set[str]:
    """Every name that a top-level statement may bind or delete."""
    names: set[str] = set()
    queue: list[ast.AST] = [statement]
    while queue:
        node = queue.pop()
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            names.add(node.id)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names |= {alias.asname or alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar):
            names.add(node.name or "")
        elif isinstance(node, ast.MatchMapping):
            names.add(node.rest or "")
        for part, child in ast.iter_fields(node):
            # What a function's body binds is its own.
            if part == "body" and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
                continue
            queue += [
                one for one in (child if isinstance(child, list) else [child]) if isinstance(one, ast.AST)
            ]
    return names


def _rebinding(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Places that rebind a name or change a list without it showing in the file's statements."""
    lists = {
        target.id
        for statement in tree.body
        if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.List)
        for target in statement.targets
        if isinstance(target, ast.Name) and _declares(statement.value)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Global):
            yield node.lineno, f"global {', '.join(node.names)}"
        elif isinstance(node, ast.Name) and node.id in lists and isinstance(node.ctx, ast.Load):
            yield node.lineno, f"{node.id} is a list, which could be changed; use a tuple"


def _declares(value: ast.List) -> bool:
    """Whether a list contains calls or names, and so possibly stages or strategies."""
    return any(isinstance(node, ast.Call | ast.Name) for node in ast.walk(value))


def _concerns(node: ast.expr, bound: Mapping[str, Any]) -> bool:
    """Whether a value may be part of a strategy: a constant, or computed from bound names."""
    names = {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}
    return names <= bound.keys()
