"""Files that declare something, for tests of the registry."""

from __future__ import annotations

from pathlib import Path

STRATEGY = """
from slubench import TEXT, Stage, Strategy

MINE = Strategy(name="{name}", summary="mine", stages=(Stage(learns_from=TEXT),))
"""
TASK = """
from dataclasses import replace

from slubench.tasks.massive import MONOLINGUAL

MINE = replace(MONOLINGUAL[0], name="{name}")
"""
MODEL = """
from dataclasses import replace

from slubench.models.tiny import TINY

MINE = replace(TINY, name="{name}")
"""
VIEW = """
from slubench.board.view import Column, Table, View

MINE = View(
    name="{name}", title="Mine", order=6,
    shows=Table((Column(title="Strategy", of=lambda cell: cell.strategy, form="text", group=""),)),
)
"""
OF_KIND = {"task": TASK, "strategy": STRATEGY, "model": MODEL, "view": VIEW}
"""By kind, with a place for the name."""


def write(path: Path, text: str | bytes) -> Path:
    """Write a file, its folders too."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path
