"""Why something failed, for a report: the message, and the line of the strategy's file where it arose."""

from __future__ import annotations

import os
import traceback
from pathlib import Path

from slubench.errors import SlubenchError


def told(error: Exception, file: Path) -> str:
    """An error in a line; one that is for users says all there is to say by itself."""
    if isinstance(error, SlubenchError):
        return str(error)
    frames = traceback.extract_tb(error.__traceback__)
    line = next((f.lineno for f in reversed(frames) if os.path.realpath(f.filename) == str(file)), None)
    place = f"line {line}: " if line else ""
    return f"{place}{type(error).__name__}: {error}"[:1_000]
