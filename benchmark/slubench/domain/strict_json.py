"""JSON by RFC 8259 and no further: a key that occurs twice, NaN and Infinity are refused."""

from __future__ import annotations

import json
from typing import Any


def read_strictly(text: str | bytes) -> Any:
    """The value that a JSON text stands for.

    Raises:
        ValueError: It is no JSON, names a key twice, or holds a constant that JSON does not have.
        RecursionError: It is nested too deep to be read.
    """
    return json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) != len(pairs):
        raise ValueError("a key occurs twice")
    return content


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")
