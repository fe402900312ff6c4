"""Runs training and answering in processes of their own, so that the GPU is free between them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from slubench.errors import SlubenchError

# Two cores spinning at a barrier are slower than one (OpenMP's default waits actively).
CALM: Mapping[str, str] = {"OMP_WAIT_POLICY": "PASSIVE", "TOKENIZERS_PARALLELISM": "false"}


class ProcessError(SlubenchError):
    """A process of training or answering failed; it has told why."""


def child_environment() -> dict[str, str]:
    """The environment of a process of ours: this one's, with this very package on the path."""
    roots = [str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")]
    return {**CALM, **os.environ, "PYTHONPATH": os.pathsep.join(root for root in roots if root)}


def run_module(module: str, job: Path) -> None:
    """Run `python -m module job` to its end, its progress on our stderr.

    Args:
        module: As in `slubench.train`.
        job: The JSON file that says what to do.

    Raises:
        ProcessError: It failed.
        KeyboardInterrupt: It was interrupted.
    """
    # -P: the folder one stands in may be anybody's, and no module is taken from it.
    command = [sys.executable, "-P", "-m", module, str(job)]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, env=child_environment()) as process:
        try:
            code = process.wait()
        except KeyboardInterrupt:
            # Ctrl-C reaches the whole group: the child writes its checkpoint and ends by itself.
            process.wait()
            raise
    if code == 130:
        raise KeyboardInterrupt
    if code:
        how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
        again = "Run the same command again to resume from the last checkpoint."
        raise ProcessError(f"{module} {how}; its folder is {job.parent}. {again}")


def last_line(log: Path) -> str:
    """The last line that was printed, without what a terminal would obey."""
    lines = log.read_text("utf-8", errors="replace").strip().splitlines() or ["it printed nothing"]
    return "".join(char for char in lines[-1] if char.isprintable())[:500]
