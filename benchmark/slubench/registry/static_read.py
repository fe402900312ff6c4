"""Reads what a strategy's file declares without importing it: values are worked out, functions stay text."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from slubench.domain.strategy import SPEECH, TEXT, Stage, Strategy
from slubench.errors import DeclarationError, SlubenchError, shown
from slubench.registry.function_source import Unimported

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


class Unreadable(SlubenchError):
    """The file declares its strategy in a way that only running it would tell."""


def read_strategy(text: str, name: str) -> Strategy:
    """The strategy of that name that a file declares at its top level.

    Read are constants, names bound to what is read, tuples and lists, `+ - * / |` on numbers and
    modalities, and `Stage(...)` and `Strategy(...)`; a `compose` or `objective` is a function of the file.

    Args:
        text: The file.
        name: The strategy's name.

    Returns:
        The strategy; its functions are `slubench.registry.function_source.Unimported`.

    Raises:
        Unreadable: It is no Python, declares no strategy of that name, or computes it otherwise.
    """
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise Unreadable(f"it is not Python that can be read ({shown(str(error), 120)})") from None
    reader = _Reader(text)
    faults: list[str] = []
    names: list[str] = []
    for statement in tree.body:
        try:
            reader.bind(statement)
        except Unreadable as error:
            faults.append(f"line {statement.lineno}: {error}")
        except (DeclarationError, TypeError, ValueError, ArithmeticError, RecursionError) as error:
            faults.append(f"line {statement.lineno}: {shown(str(error), 160)}")
    for strategy in reader.declared():
        names.append(strategy.name)
        if strategy.name == name:
            return strategy
    told = f" It declares: {', '.join(names[:5])}." if names else ""
    why = f" {'; '.join(faults[:3])}." if faults else ""
    raise Unreadable(
        f"no strategy {shown(name)} can be read from it without running it.{told}{why}"
        " Write Strategy(...) and its Stage(...) out at the top level of the file."
    )


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
        """Take in what a statement binds, as far as it can be read; what can't be is not bound."""
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
            ):
                self.bound.pop(name, None)
                if _concerns(value, self.bound):
                    self.bound[name] = self.value(value)
            case ast.Expr(value=ast.Constant()) | ast.Import() | ast.ImportFrom():
                pass
            case _:
                # A name that is bound in another way is not known any more.
                for node in ast.walk(statement):
                    if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
                        self.bound.pop(node.id, None)
                    elif isinstance(node, ast.FunctionDef | ast.ClassDef):
                        self.bound.pop(node.name, None)

    def value(self, node: ast.expr, depth: int = 0) -> Any:
        if depth > _DEEPEST:
            raise Unreadable("it is nested too deeply")
        match node:
            case ast.Constant(value=str() | int() | float() | bool() | None):
                return node.value
            case ast.Name(id=name):
                if name not in self.bound:
                    raise Unreadable(f"{shown(name)} is not known without running the file")
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
                    raise Unreadable(f"a call of {shown(name)} is not known without running the file")
                return noun(**{str(k.arg): self.value(k.value, depth + 1) for k in keywords})
        raise Unreadable(f"{shown(ast.unparse(node))} is not known without running the file")

    def _applied(self, op: ast.AST, *operands: Any) -> Any:
        numbers = all(isinstance(one, int | float) and abs(one) < 1e9 for one in operands)
        modalities = isinstance(op, ast.BitOr) and all(isinstance(one, type(TEXT)) for one in operands)
        if not numbers and not modalities:
            raise Unreadable(f"{type(op).__name__} of something else than numbers")
        return _OPERATIONS[type(op)](*operands)


def _concerns(node: ast.expr, bound: Mapping[str, Any]) -> bool:
    """Whether a value may be of a strategy: a constant, or made of what is bound."""
    names = {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}
    return names <= bound.keys()
