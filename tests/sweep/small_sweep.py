"""The sweep that runs on clusters in tests, and what must come out of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from slubench.registry.adapters import Adapter

MEASURED = ("created", "train_seconds", "answer_seconds")
"""Columns that tell when a run was made and how long it took."""


@dataclass(frozen=True)
class SmallSweep:
    """A sweep of four runs on two adapters.

    Attributes:
        mirror: Its corpora.
        local: HOME of the same sweep on this machine.
    """

    mirror: Path
    local: Path

    def command(self, home: Path) -> tuple[str, ...]:
        """The arguments of the command."""
        cells = ("--task", "massive-de,massive-de-to-fr", "--strategy", "text-only,direct-mix")
        place = ("--edition", "full", "--corpora", str(self.mirror), "--home", str(home))
        return ("sweep", *cells, "--speech", "100%", "--model", "tiny", "--engine", "transformers", *place)

    def check(self, home: Path) -> None:
        """Assert that every row is there once, and equal to that of this machine to the last digit."""
        assert scores(home) == scores(self.local)
        assert len(scores(home)) == 4
        assert adapters(home) == adapters(self.local)
        assert len(adapters(home)) == 2
        assert answers(home) == answers(self.local)
        assert not list((home / "cache" / "sweeps").glob("arrived-*"))


def scores(home: Path) -> dict[str, list[dict[str, Any]]]:
    """The rows of each score file, by run."""
    found: dict[str, list[dict[str, Any]]] = {}
    for path in sorted((home / "leaderboard" / "scores").glob("*.parquet")):
        rows = pq.read_table(path).drop_columns(list(MEASURED)).to_pylist()
        assert rows[0]["run"] not in found
        found[rows[0]["run"]] = rows
    return found


def adapters(home: Path) -> dict[str, dict[str, str]]:
    """The digests of each adapter's weights, by fingerprint."""
    cards = [Adapter.load(path) for path in sorted((home / "adapters_registry").glob("*.json"))]
    assert len({card.fingerprint for card in cards}) == len(cards)
    return {card.fingerprint: card.sha256 for card in cards}


def answers(home: Path) -> dict[str, list[dict[str, Any]]]:
    """The predictions, by adapter and test."""
    found = sorted((home / "runs").glob("*/answers/*/answers.parquet"))
    return {str(path.relative_to(home)): pq.read_table(path).to_pylist() for path in found}


def wait_for(what: Callable[[], Any], seconds: float, told: Callable[[], str]) -> Any:
    """Wait until something is true, and give it back."""
    deadline = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < deadline, told()
        time.sleep(0.05)
    return found
