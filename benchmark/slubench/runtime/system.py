"""Differences between operating systems: the number of usable cores, and supported systems."""

from __future__ import annotations

import os
import sys

from slubench.errors import UsageError


def cores() -> int:
    """How many cores this process may run on; all of the machine's where the system does not tell."""
    allowed = getattr(os, "sched_getaffinity", None)
    return len(allowed(0)) if allowed is not None else os.cpu_count() or 1


def require_supported() -> None:
    """Refuse Windows, which has none of the file locks, process groups and signals that runs rely on.

    Raises:
        UsageError: This is Windows.
    """
    if sys.platform == "win32":
        raise UsageError("Windows is not supported; use Linux, macOS, or Linux inside Windows (WSL 2).")
