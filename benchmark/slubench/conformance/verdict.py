"""Verdicts: whether a requirement is met, and if not why and what to do."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

PASS, FAIL, NOT_CHECKED = "pass", "fail", "not checked"


class Verdict(NamedTuple):
    """One requirement as it was found.

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
