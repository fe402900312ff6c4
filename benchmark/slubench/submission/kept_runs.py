"""Finds scored runs by name, by fingerprint, or by task and strategy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slubench.errors import MissingError, UsageError, unknown
from slubench.pipeline.rescore import read_identity
from slubench.registry.adapters import stem
from slubench.runtime.home import Home

SHORTEST = 6
"""Digits of a fingerprint that are taken for one."""


@dataclass(frozen=True)
class KeptRun:
    """A scored run.

    Attributes:
        path: Its score file.
        row: What identifies it.
    """

    path: Path
    row: Mapping[str, Any]

    @property
    def names(self) -> tuple[str, ...]:
        """Its names, without fingerprints."""
        row = self.row
        return (
            row["run"],
            self.path.stem,
            stem(row["run"], row["scores_fingerprint"]),
            f"{row['task']}/{row['strategy']}",
            row["strategy"],
        )

    @property
    def fingerprints(self) -> tuple[str, ...]:
        """The fingerprints of its training, predictions and scores."""
        return tuple(str(self.row[f"{part}_fingerprint"]) for part in ("train", "answers", "scores"))


def find_kept(home: Home, names: Sequence[str]) -> list[KeptRun]:
    """The scored runs that names mean, in the order of their files, each once.

    A name is a run's (as in `slubench list runs` or on its scores), the first digits of a fingerprint, a
    strategy's, or TASK/STRATEGY; the last two mean all budgets and seeds that are scored.

    Raises:
        UsageError: Nothing is named, or a name means nothing.
        MissingError: Nothing is scored.
        DataError: A file of scores cannot be read.
    """
    kept = [KeptRun(path, read_identity(path)) for path in sorted(home.scores.glob("*.parquet"))]
    if not kept:
        raise MissingError(f"There are no scores in {home.scores}.")
    if not names:
        raise UsageError(
            "Name the runs: `slubench list runs` shows them; TASK/STRATEGY selects all budgets and seeds."
        )
    cards = {path.stem[-8:]: path.stem for path in home.adapters.glob("*.json")}
    wanted: dict[Path, KeptRun] = {}
    for name in names:
        found = [one for one in kept if _means(name, one, cards)]
        if not found:
            known = {each for one in kept for each in one.names} | set(cards.values())
            raise unknown("scored run", name, known, "`slubench list runs` shows the trained runs.")
        wanted |= {one.path: one for one in found}
    return [wanted[path] for path in sorted(wanted)]


def _means(name: str, one: KeptRun, cards: Mapping[str, str]) -> bool:
    if name in one.names or name == cards.get(one.fingerprints[0][:8]):
        return True
    return len(name) >= SHORTEST and any(print_.startswith(name) for print_ in one.fingerprints)
