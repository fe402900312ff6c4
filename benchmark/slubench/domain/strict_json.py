"""Strict JSON by RFC 8259: duplicate keys, NaN and Infinity are refused."""

from __future__ import annotations

import json
from typing import Any


def read_strictly(text: str | bytes) -> Any:
    """The value of a JSON text.

    Raises:
        ValueError: It is no JSON, names a key twice, or holds a constant that JSON does not have.
        RecursionError: It is nested too deep to be read.
    """
    return json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) != len(pairs):
        raise ValueError("duplicate key")
    return content


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is not valid JSON")
