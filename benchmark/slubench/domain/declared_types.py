"""Checks that the values of a declaration are what its fields say, before one is used and fails."""

from __future__ import annotations

import dataclasses
import inspect
import sys
import types
import typing
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any, cast

from slubench.errors import DeclarationError, shown


def check_types(declared: Any, told: str, examples: Mapping[str, str] | None = None) -> None:
    """Check the value of each field of a dataclass against its annotation.

    Args:
        declared: A declaration.
        told: What it is, for messages, as in `a stage`.
        examples: What to write instead, by field.

    Raises:
        DeclarationError: Names the field, and what was expected.
    """
    for name, hint in _hints(cast(Hashable, type(declared))).items():
        value = getattr(declared, name)
        if not fits(value, hint):
            wanted = (examples or {}).get(name) or _words(hint)
            raise DeclarationError(f"{name} of {told} must be {wanted}, not {shown(value)}")


def check_all(declared: Any, told: str) -> None:
    """Check a declaration and the declarations in it.

    Raises:
        DeclarationError: Names the field, and what was expected.
    """
    check_types(declared, told)
    for field in dataclasses.fields(declared):
        value = getattr(declared, field.name)
        for inner in value if isinstance(value, tuple | list) else (value,):
            if dataclasses.is_dataclass(inner) and not isinstance(inner, type):
                check_all(inner, f"{type(inner).__name__} in {told}")


def check_takes(function: Callable[..., Any] | None, name: str, *arguments: str) -> None:
    """Check that a function can be called with so many arguments.

    Args:
        function: It; None is let pass.
        name: What it is, as in `compose`.
        arguments: The names of what it is given.

    Raises:
        DeclarationError: It is no function, or takes fewer or more.
    """
    if function is None:
        return
    call = f"{name}({', '.join(arguments)})"
    if not callable(function):
        raise DeclarationError(f"{name} of a stage must be a function {call}, not {shown(function)}")
    try:
        signature = inspect.signature(function)
        signature.bind(*arguments)
    except ValueError:  # written in C, without a signature
        return
    except TypeError:
        own = getattr(function, "__name__", name)
        raise DeclarationError(
            f"{name} of a stage is called as {call}; {own}{signature} cannot be called like that"
        ) from None


@cache
def _hints(kind: Hashable) -> dict[str, Any]:
    names = vars(sys.modules[cast(Any, kind).__module__])
    hints = {}
    for field in dataclasses.fields(cast(Any, kind)):
        try:
            hints[field.name] = eval(field.type, dict(names)) if isinstance(field.type, str) else field.type
        except (NameError, TypeError):  # of a module that is imported for type checkers alone
            continue
    return hints


def fits(value: object, hint: Any) -> bool:
    """Whether a value is of a type; a list may stand for a tuple, and what is not known fits."""
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return any(fits(value, one) for one in inner)
    if hint is None or hint is types.NoneType:
        return value is None
    if origin is typing.Literal:
        return value in inner
    if origin is typing.Annotated:
        return fits(value, inner[0])
    if hint is Callable or origin is Callable:
        return callable(value)
    if isinstance(origin, type):
        if issubclass(origin, Mapping):
            return isinstance(value, Mapping)
        if issubclass(origin, tuple):
            one = inner[0] if len(inner) == 2 and inner[1] is Ellipsis else Any
            return isinstance(value, tuple | list) and all(fits(part, one) for part in value)
        if issubclass(origin, Iterable) and not issubclass(origin, str):
            one = inner[0] if inner and issubclass(origin, Sequence | frozenset | set) else Any
            return (
                isinstance(value, Iterable)
                and not isinstance(value, str)
                and (one is Any or all(fits(part, one) for part in value))
            )
        return isinstance(value, origin)
    if hint is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return not isinstance(hint, type) or isinstance(value, hint)


def _words(hint: Any) -> str:
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return " or ".join(_words(one) for one in inner)
    if hint is None or hint is types.NoneType:
        return "None"
    if origin is tuple:
        return f"a tuple of {_plain(inner[0])}" if inner else "a tuple"
    if hint is Callable or origin is Callable:
        return "a function"
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return "a dict"
    words = {str: "text", int: "a whole number", float: "a number", bool: "True or False"}
    return words.get(hint) or f"a {_plain(hint)}"


def _plain(hint: Any) -> str:
    return getattr(hint, "__name__", str(hint))
