"""Runs two composing processes that differ in the seed of Python's hashes.

One after the other: the kernel tells that a recording was opened, and not by whom.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from slubench.conformance.compose_job import ComposeJob, ComposeReport
from slubench.conformance.subject import Subject
from slubench.files import write_text
from slubench.model import Model
from slubench.process import child_environment, last_line

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
    """Import a strategy and compose its lessons in two processes, each audited.

    Args:
        subject: The strategy.
        purchases: Files of purchases by name.
        model: Who learns.
        folder: Where jobs and reports are written.
        seconds: That both may take; then a process is ended, and that is its error.
        private: Folders of recordings that nobody else opens meanwhile.
    """
    job = ComposeJob(
        name=subject.name,
        file=str(subject.file),
        home=str(subject.registry.home or folder),
        purchases=dict(purchases),
        batch=model.recipe(TRACK).batch,
        seeds=TRAIN_SEEDS,
        private=tuple(map(str, private)),
    )
    write_text(folder / "job.json", json.dumps(asdict(job)))
    command = [sys.executable, "-P", "-m", "slubench.conformance.composing", str(folder / "job.json")]
    until = time.monotonic() + seconds
    return [_composed(command, folder, seed, until) for seed in HASH_SEEDS]


def _composed(command: Sequence[str], folder: Path, seed: str, until: float) -> ComposeReport:
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
            return ComposeReport("importing and composing took too long; does it come to an end?")
    if code or not report.exists():
        return ComposeReport(f"the process ended with exit code {code}: {last_line(log)}")
    return ComposeReport.load(report)
