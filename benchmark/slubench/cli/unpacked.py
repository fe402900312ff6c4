"""Unpacks option dataclasses that several commands share into their parameters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, fields, is_dataclass
from functools import wraps
from inspect import Parameter, Signature, signature
from typing import Any, get_type_hints


def unpacked(command: Callable[..., None]) -> Callable[..., None]:
    """A command in which each parameter of an options class is replaced by that class's options, for Typer.

    Args:
        command: Its parameters are keyword-only; each is an option, or an instance of a class of options.
    """
    hints = get_type_hints(command, include_extras=True)
    packs = {name: kind for name, kind in hints.items() if is_dataclass(kind) and isinstance(kind, type)}
    parameters: list[Parameter] = []
    for name, parameter in signature(command).parameters.items():
        if name not in packs:
            parameters.append(parameter.replace(annotation=hints[name]))
            continue
        options = get_type_hints(packs[name], include_extras=True)
        for field in fields(packs[name]):
            default = Parameter.empty if field.default is MISSING else field.default
            option = Parameter(
                field.name, Parameter.KEYWORD_ONLY, default=default, annotation=options[field.name]
            )
            parameters.append(option)

    @wraps(command)
    def called(**values: Any) -> None:
        given = {
            name: kind(**{field.name: values.pop(field.name) for field in fields(kind)})
            for name, kind in packs.items()
        }
        command(**values, **given)

    called.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
    called.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    del called.__wrapped__
    return called
