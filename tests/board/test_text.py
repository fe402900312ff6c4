"""Formats numbers, budgets and languages for readers."""

from __future__ import annotations

import pytest

from slubench.board.panel import Estimate
from slubench.board.text import budget, clipped, count, duration, interval, language, listed, points


@pytest.mark.parametrize(
    ("value", "signed", "written"),
    [(0.7123, False, "71.2"), (-0.0004, True, "0.0"), (0.034, True, "+3.4"), (-0.034, True, "\u22123.4")],
)
def test_points(value: float, signed: bool, written: str) -> None:
    assert points(value, signed=signed) == written


def test_intervals() -> None:
    assert interval(Estimate(0.7, 0.651, 0.749)) == "65.1\u201374.9"
    assert interval(Estimate(0.0, -0.01, 0.02), signed=True) == "\u22121.0 to +2.0"
    assert interval(Estimate(0.7)) == ""


@pytest.mark.parametrize(
    ("speech", "written"),
    [
        ("5%", "5 %"),
        ("2.5%", "2.5 %"),
        ("20min", "20 min"),
        ("230", "230 clips"),
        ("0", "none"),
        ("few115", "few115"),
    ],
)
def test_budgets(speech: str, written: str) -> None:
    assert budget(speech).replace("\N{NARROW NO-BREAK SPACE}", " ") == written


@pytest.mark.parametrize(("seconds", "written"), [(95.2, "95 s"), (600, "10 min"), (9000, "2.5 h")])
def test_durations(seconds: float, written: str) -> None:
    assert duration(seconds).replace("\N{NARROW NO-BREAK SPACE}", " ") == written


def test_counts_languages_and_lists() -> None:
    assert count(12_078).replace("\N{NARROW NO-BREAK SPACE}", " ") == "12 078"
    assert (language("vi"), language("xx")) == ("Vietnamese", "xx")
    assert [listed([]), listed(["a"]), listed(["a", "b"]), listed(["a", "b", "c"])] == [
        "",
        "a",
        "a and b",
        "a, b and c",
    ]


def test_long_and_unprintable_text_is_clipped() -> None:
    assert len(clipped("x" * 10_000)) == 80
    assert clipped("a\nb\u202ec") == "a\N{REPLACEMENT CHARACTER}b\N{REPLACEMENT CHARACTER}c"
    assert clipped("5\u202f%") == "5\u202f%"
