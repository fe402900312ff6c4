"""Values of declarations against the types of their fields."""

from __future__ import annotations

from typing import Any

import pytest

from slubench.domain.declared_types import fits


@pytest.mark.parametrize(
    ("value", "hint", "right"),
    [
        ((("a", "b"),), tuple[tuple[str, str], ...], True),
        ([["a", "b"]], tuple[tuple[str, str], ...], True),
        ((("a",),), tuple[tuple[str, str], ...], False),
        ((("a", 1),), tuple[tuple[str, str], ...], False),
        (("a", "b", "c"), tuple[str, ...], True),
        (("a", 1), tuple[str, ...], False),
        (("a", 1), tuple[Any, ...], True),
        ("ab", tuple[str, str], False),
        ((1, "x"), tuple, True),
        (object(), Any, True),
    ],
)
def test_pairs_and_what_may_be_anything_are_checked_part_by_part(
    value: object, hint: Any, right: bool
) -> None:
    assert fits(value, hint) is right
