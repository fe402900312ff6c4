"""Addresses of the pages within the folder of a leaderboard."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from slubench.strategy import NAME
from slubench.view import Cell, Panel


def run_link(page: str) -> str:
    """Of a run's page, from the folder's root."""
    return f"run.html#{page}"


def strategy_link(name: str) -> str:
    """Of a strategy's page; a name that no strategy may bear, but scores may hold, is hashed."""
    stem = name if len(name) <= 64 and NAME.fullmatch(name) else f"x-{sha256(name.encode()).hexdigest()[:12]}"
    return f"strategies/{stem}.html"


def runs_behind(panel: Panel, row: Any) -> Sequence[str]:
    """The pages of the runs that a row of a table rests on: its cell's, or those of the cell it tells of."""
    if isinstance(row, Cell):
        return row.runs
    strategy, speech = getattr(row, "strategy", None), getattr(row, "speech", None)
    cells = [cell for cell in panel.cells if cell.strategy == strategy]
    wanted = [cell for cell in cells if cell.speech == speech] or [cell for cell in cells if not cell.hears]
    return max((cell.runs for cell in wanted), key=len, default=()) if speech is not None else ()
