"""`--on local`: the GPUs of this machine, one unit each, or its CPU."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from slubench.runtime.child_process import GRACE, child_environment, end_group, last_line
from slubench.runtime.devices import VISIBLE
from slubench.sweep.unit import EndedUnit, Unit, read_reasons

WORKER = "slubench.sweep.worker"


def worker_command(unit_file: str | Path) -> list[str]:
    """The command that does a unit, and ends when its parent does."""
    # -P: the folder one stands in may be anybody's, and no module is taken from it.
    return [sys.executable, "-P", "-m", "slubench.runtime.child", WORKER, str(unit_file)]


def ended_by(unit: Unit, code: int, unit_file: Path, log: Path) -> EndedUnit:
    """How a unit ended, from its worker's exit code and what it wrote."""
    reasons = read_reasons(unit_file) if code == 1 else {}
    if code == 0 or reasons:
        return EndedUnit(unit, reasons)
    how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
    told = last_line(log) if log.exists() else "it printed nothing"
    return EndedUnit(unit, error=f"the process {how} ({told}); its log is {log}")


@dataclass
class _Worker:
    unit: Unit
    file: Path
    log: Path
    places: list[int]
    process: subprocess.Popen[bytes]


class LocalMachine:
    """Works on units in processes of their own.

    Args:
        shares: The environment of each place, see `slubench.runtime.devices.shares`.
        folder: Where units and logs are kept.
    """

    whole = False

    def __init__(self, shares: Sequence[Mapping[str, str]], folder: Path) -> None:
        self._shares = list(shares)
        self._folder = folder
        self._idle = list(range(len(self._shares)))
        self._workers: list[_Worker] = []
        self.places = len(self._shares)
        self.has_gpus = any(VISIBLE in share for share in self._shares)

    def free(self) -> int:
        """How many places are free now."""
        return len(self._idle)

    def begin(self, units: Sequence[Unit]) -> None:
        """Start a process for each unit, on as many places as it needs."""
        for unit in units:
            places, self._idle = self._idle[: unit.gpus], self._idle[unit.gpus :]
            file = self._folder / f"{unit.identity}.json"
            unit.save(file)
            log = file.with_suffix(".log")
            with log.open("ab") as output:
                process = subprocess.Popen(
                    worker_command(file),
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    env={**child_environment(), **self._environment(places)},
                    process_group=0,
                )
            self._workers.append(_Worker(unit, file, log, places, process))

    def _environment(self, places: Sequence[int]) -> dict[str, str]:
        together = [self._shares[place] for place in places]
        joined = {name: value for share in together for name, value in share.items()}
        if VISIBLE in joined:
            joined[VISIBLE] = ",".join(share[VISIBLE] for share in together)
        return joined

    def ended(self, seconds: float) -> list[EndedUnit]:
        """The units whose processes have ended, waited for up to some seconds."""
        deadline = time.monotonic() + seconds
        while True:
            done = [worker for worker in self._workers if worker.process.poll() is not None]
            if done or not self._workers or time.monotonic() > deadline:
                break
            time.sleep(0.05)
        for worker in done:
            self._workers.remove(worker)
            self._idle = sorted([*self._idle, *worker.places])
            end_group(worker.process.pid)
        return [ended_by(one.unit, one.process.returncode, one.file, one.log) for one in done]

    def stop(self) -> None:
        """End the processes: trainings write a checkpoint first."""
        for worker in self._workers:
            worker.process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + GRACE
        try:
            for worker in self._workers:
                worker.process.wait(max(deadline - time.monotonic(), 0.1))
        except subprocess.TimeoutExpired:
            pass
        finally:
            for worker in self._workers:
                if worker.process.poll() is None:
                    os.killpg(worker.process.pid, signal.SIGKILL)
                    worker.process.wait()
                end_group(worker.process.pid)
            self._workers.clear()
