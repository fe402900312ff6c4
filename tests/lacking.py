"""What a machine lacks: the test is skipped with the reason, or fails where nothing may be skipped."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest


def lacking(reason: str) -> NoReturn:
    """End a test that can't be run here; with `SLUBENCH_DEMAND`, as CI sets it, that is a failure."""
    if os.environ.get("SLUBENCH_DEMAND") or os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
