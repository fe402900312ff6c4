"""Composes under audit, in two processes that differ in the seed of Python's hashes.

One after the other: the kernel tells that a recording was opened, and not by whom.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

from slubench.conformance.audit import Opened
from slubench.conformance.subject import Subject
from slubench.domain.model import Model
from slubench.runtime.child_process import child_environment, last_line
from slubench.runtime.files import write_text


@dataclass(frozen=True)
class ComposeAudit:
    """What is composed under audit, at many purchases; nothing is trained from it.

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
        digest: Of the train set, empty where there is none.
        again: The same, composed once more.
        refused: Whether it was refused for want of speech, as it should be.
        error: Why it failed.
        beyond_updates: What is wrong with the updates.
        beyond_budget: What is wrong with the clips.
        updates: How many there are.
        cell_updates: How many the rules give.
        heard: Clips heard, repeats included.
    """

    digest: str = ""
    again: str = ""
    refused: bool = False
    error: str = ""
    beyond_updates: list[str] = field(default_factory=list)
    beyond_budget: list[str] = field(default_factory=list)
    updates: int = 0
    cell_updates: int = 0
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


TRACK = "lora-lm"
HASH_SEEDS = ("1", "2")
TRAIN_SEEDS = (0, 1)


def compose_twice(
    subject: Subject,
    purchases: Mapping[str, str],
    model: Model,
    folder: Path,
    seconds: float,
    private: Sequence[Path] = (),
) -> list[ComposeReport]:
    """Import a strategy and compose its train set in two processes, each audited.

    Args:
        subject: The strategy.
        purchases: Files of purchases by name.
        model: Who learns.
        folder: Where jobs and reports are written.
        seconds: That both may take; then a process is ended, and that is its error.
        private: Folders of recordings that nobody else opens meanwhile.
    """
    job = ComposeAudit(
        name=subject.name,
        file=str(subject.file),
        home=str(subject.registry.home or folder),
        purchases=dict(purchases),
        batch=model.recipe(TRACK).batch,
        seeds=TRAIN_SEEDS,
        private=tuple(map(str, private)),
    )
    write_text(folder / "job.json", json.dumps(asdict(job)))
    command = [
        sys.executable,
        "-P",
        "-m",
        "slubench.conformance.compose_audit_process",
        str(folder / "job.json"),
    ]
    until = time.monotonic() + seconds
    return [_composed(command, folder, seed, until, seconds) for seed in HASH_SEEDS]


def _composed(command: Sequence[str], folder: Path, seed: str, until: float, seconds: float) -> ComposeReport:
    report, log = folder / f"composed-{seed}.json", folder / f"composed-{seed}.log"
    environment = {**child_environment(), "PYTHONHASHSEED": seed}
    with log.open("wb") as printed:
        try:
            code = subprocess.run(
                [*command, str(report)],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=printed,
                stderr=subprocess.STDOUT,
                timeout=max(until - time.monotonic(), 0.1),
            ).returncode
        except subprocess.TimeoutExpired:
            return ComposeReport(
                f"importing and composing took too long, more than {seconds:g} s; check that it terminates"
            )
    if code or not report.exists():
        return ComposeReport(f"the process ended with exit code {code}: {last_line(log)}")
    return ComposeReport.load(report)
