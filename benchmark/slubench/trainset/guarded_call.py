"""Calls functions of a strategy's file: for as long as they may take, their errors told with their line."""

from __future__ import annotations

import os
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

from slubench.errors import DeclarationError, UsageError, shown
from slubench.runtime.time_limit import TimeLimitError, time_limit

COMPOSE_MINUTES = "SLUBENCH_COMPOSE_MINUTES"
"""The environment variable that says how long a strategy's `compose` or `choose` may take."""
MINUTES = 10.0


@contextmanager
def call_for(where: str, remedy: str = "It must end") -> Iterator[None]:
    """Stop what takes longer than SLUBENCH_COMPOSE_MINUTES, by default 10.

    Args:
        where: The function, its strategy, stage and file, for messages.
        remedy: What to do about it.

    Raises:
        DeclarationError: It takes longer.
        UsageError: SLUBENCH_COMPOSE_MINUTES is not a number above 0.
    """
    minutes = _minutes()
    try:
        with time_limit(60 * minutes):
            yield
    except TimeLimitError:
        raise DeclarationError(
            f"{where} took longer than {minutes:g} minutes and was stopped. {remedy}; if it needs more time,"
            f" set {COMPOSE_MINUTES}."
        ) from None


def place_of(error: Exception, file: str) -> str:
    """The line of a file at which an error arose, and the error."""
    frames = traceback.extract_tb(error.__traceback__)
    line = next((frame.lineno for frame in reversed(frames) if frame.filename == file), None)
    at = f"line {line}: " if line is not None else ""
    return f"{at}{type(error).__name__}: {error}"[:1_000]


def _minutes() -> float:
    given = os.environ.get(COMPOSE_MINUTES, str(MINUTES))
    try:
        minutes = float(given)
    except ValueError:
        minutes = 0.0
    if not 0 < minutes < 1e6:
        raise UsageError(f"{COMPOSE_MINUTES} is {shown(given)}: give a number of minutes above 0.")
    return minutes
