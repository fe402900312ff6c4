"""Runs two composing processes, one another's witnesses: they differ in the seed of Python's hashes."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from slubench.conformance.composing import ComposeJob, ComposeReport
from slubench.conformance.subject import Subject
from slubench.files import write_text
from slubench.model import Model
from slubench.process import child_environment

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
    """Import a strategy and compose its lessons in two processes at once, each audited.

    Args:
        subject: The strategy.
        purchases: Files of purchases by name.
        model: Who learns.
        folder: Where jobs and reports are written.
        seconds: After so many a process is ended, and that is its error.
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
    write_text(folder / "compose.json", json.dumps(asdict(job)))
    command = [sys.executable, "-P", "-m", "slubench.conformance.composing", str(folder / "compose.json")]
    started = time.monotonic()
    processes = [
        subprocess.Popen(
            [*command, str(folder / f"composed-{seed}.json")],
            env={**child_environment(), "PYTHONHASHSEED": seed},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        for seed in HASH_SEEDS
    ]
    try:
        return [
            _report(process, folder / f"composed-{seed}.json", seconds + started - time.monotonic(), seconds)
            for process, seed in zip(processes, HASH_SEEDS, strict=True)
        ]
    finally:
        for process in processes:
            process.kill()
            process.wait()


def _report(process: subprocess.Popen[str], path: Path, left: float, seconds: float) -> ComposeReport:
    try:
        _, printed = process.communicate(timeout=max(left, 0.1))
    except subprocess.TimeoutExpired:
        return ComposeReport(f"importing and composing took longer than {seconds:g} s")
    if process.returncode or not path.exists():
        last = (printed.strip().splitlines() or ["it printed nothing"])[-1]
        return ComposeReport(f"the process ended with exit code {process.returncode}: {last}")
    return ComposeReport.load(path)
