"""Runs the command as a user does: in a process of its own, with what it prints."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]


def slubench(*arguments: str | Path, code: int = 0, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command and check its exit code; its output is captured as text."""
    command = [sys.executable, "-m", "slubench", *map(str, arguments)]
    path = os.pathsep.join([str(ROOT / "benchmark"), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
    ran = subprocess.run(
        command,
        capture_output=True,
        encoding=environment.get("PYTHONIOENCODING", "utf-8"),
        env={**os.environ, "PYTHONPATH": path, "NO_COLOR": "1", "COLUMNS": "160", **environment},
    )
    assert ran.returncode == code, f"{command} ended with {ran.returncode}\n{ran.stdout}\n{ran.stderr}"
    assert "Traceback" not in ran.stderr, ran.stderr
    return ran


def heeds_interrupts() -> None:
    """Let a child be interrupted although its parents, started in the background, ignore it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def headline(ran: subprocess.CompletedProcess[str]) -> dict[tuple[str, str], dict[str, Any]]:
    """The ranked rows over all answers that `--json` printed, by what was asked and measure."""
    return {
        (row["input"], row["metric"]): row
        for row in json.loads(ran.stdout)
        if row["slice_by"] == "all" and row["normalised"]
    }
