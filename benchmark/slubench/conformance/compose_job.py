"""What a composing process is given, and what it tells."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from slubench.conformance.audit import Opened


@dataclass(frozen=True)
class ComposeJob:
    """What is to be composed.

    Attributes:
        name: The strategy's name where it has one on a shelf, in HOME or in a plugin, else empty.
        file: Real path of its file.
        home: HOME, for the registry.
        purchases: Files of purchases, by a name for each.
        batch: Examples an update.
        seeds: Train seeds.
        private: Folders of recordings that nobody else opens meanwhile.
    """

    name: str
    file: str
    home: str
    purchases: dict[str, str]
    batch: int
    seeds: tuple[int, ...]
    private: tuple[str, ...]


@dataclass(frozen=True)
class Composed:
    """What became of one purchase and seed.

    Attributes:
        digest: Of the lessons, empty where there are none.
        again: The same, composed once more.
        refused: Whether it was refused for want of speech, as it should be.
        error: Why it failed.
        beyond_updates: What is wrong with the updates.
        beyond_budget: What is wrong with the clips.
        updates: How many there are.
        heard: Clips heard, repeats included.
    """

    digest: str = ""
    again: str = ""
    refused: bool = False
    error: str = ""
    beyond_updates: list[str] = field(default_factory=list)
    beyond_budget: list[str] = field(default_factory=list)
    updates: int = 0
    heard: int = 0


@dataclass(frozen=True)
class ComposeReport:
    """What was seen.

    Attributes:
        error: Why the strategy could not be imported while torch was not to be had, empty where it could.
        cells: By purchase and seed.
        opened: What its code reached for.
        watched: Whether the kernel watched the recordings too.
    """

    error: str = ""
    cells: dict[str, Composed] = field(default_factory=dict)
    opened: list[Opened] = field(default_factory=list)
    watched: bool = False

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what the process wrote."""
        content: dict[str, Any] = json.loads(path.read_text("utf-8"))
        content["cells"] = {name: Composed(**cell) for name, cell in content["cells"].items()}
        content["opened"] = [Opened(**opened) for opened in content["opened"]]
        return cls(**content)
