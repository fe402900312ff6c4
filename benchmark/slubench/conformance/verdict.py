"""Verdicts: whether a requirement is met, and if not why and what to do."""

from __future__ import annotations

import os
import traceback
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from slubench.errors import SlubenchError

PASS, FAIL, NOT_CHECKED = "pass", "fail", "not checked"


class Verdict(NamedTuple):
    """The verdict on one requirement.

    Attributes:
        requirement: What is required, in a few words.
        state: `pass`, `fail`, or `not checked` where it could not be looked at.
        reason: What was found.
        remedy: What to do, where it failed.
    """

    requirement: str
    state: str
    reason: str = ""
    remedy: str = ""


def judged(requirement: str, wrong: Iterable[str], remedy: str, found: str = "") -> Verdict:
    """A verdict: passed where nothing is wrong.

    Args:
        requirement: What is required.
        wrong: What is wrong, a phrase each.
        remedy: What to do about it.
        found: What to say where nothing is wrong.
    """
    reasons = list(dict.fromkeys(wrong))
    if not reasons:
        return Verdict(requirement, PASS, found)
    more = f"; and {len(reasons) - 5} more" if len(reasons) > 5 else ""
    return Verdict(requirement, FAIL, "; ".join(reasons[:5]) + more, remedy)


def failures(verdicts: Iterable[Verdict]) -> list[Verdict]:
    """Those that failed."""
    return [verdict for verdict in verdicts if verdict.state == FAIL]


def told(error: Exception, file: Path) -> str:
    """An error in a line; one that is for users says all there is to say by itself."""
    if isinstance(error, SlubenchError):
        return str(error)
    frames = traceback.extract_tb(error.__traceback__)
    line = next((f.lineno for f in reversed(frames) if os.path.realpath(f.filename) == str(file)), None)
    place = f"line {line}: " if line else ""
    return f"{place}{type(error).__name__}: {error}"[:1_000]
