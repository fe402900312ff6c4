"""`--on slurm`: units as jobs of an array, by submitit. It is imported here alone, and when it is asked for.

HOME lies on a file system that all nodes share. A unit trains one adapter, predicts all its tests and scores
them, so that a job needs no other one.
"""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Any, Final

from slubench.errors import MissingError, UsageError
from slubench.runtime.child_process import Terminated, end_group
from slubench.runtime.files import write_text
from slubench.sweep.cluster_wishes import ClusterWishes
from slubench.sweep.local_machine import ended_by, worker_command
from slubench.sweep.unit import EndedUnit, Unit

MINUTES: Final = 240
"""Time limit of a job where none is given."""
LOST_SECONDS: Final = 20.0
"""So long after a job has left the queue may its result still be on its way through the file system."""
STOPPED: Final = 143
"""Exit code of a job that SIGTERM ended: checkpoints are kept, and it resumes when it is queued again."""


class SlurmWork:
    """What a job does: it runs the worker of a unit, and passes on that it is to end."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def __call__(self, unit_file: str) -> int:
        """Do a unit, and return the worker's exit code; 1 where some runs failed."""

        def end(number: int, frame: FrameType | None) -> None:
            raise Terminated(number)

        signal.signal(signal.SIGTERM, end)
        log = Path(unit_file).with_suffix(".log")
        with log.open("ab") as output:
            # The worker ends with this process, see `slubench.runtime.child`.
            environment = {**os.environ, "SLUBENCH_PARENT_PID": str(os.getpid())}
            self._process = subprocess.Popen(
                worker_command(unit_file),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=environment,
                process_group=0,
            )
            try:
                code = self._process.wait()
            except Terminated:
                signal.signal(signal.SIGTERM, signal.SIG_IGN)  # it comes once more from who passes it on
                self._stop()
                code = STOPPED
        end_group(self._process.pid)
        if code in (STOPPED, -signal.SIGTERM):
            sys.exit(STOPPED)
        return code

    def _stop(self) -> None:
        process = self._process
        if process is not None and process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.wait()

    def checkpoint(self, unit_file: str) -> Any:
        """Before the time is over: end the worker, and tell submitit what goes on in the next job."""
        from submitit.helpers import DelayedSubmission

        self._stop()
        return DelayedSubmission(SlurmWork(), unit_file)

    def __getstate__(self) -> dict[str, Any]:
        return {"_process": None}


def minutes_in(limit: str) -> int:
    """The minutes of a time limit as SLURM writes it: `MM`, `MM:SS`, `H:MM:SS`, `D-H`, `D-H:MM`, `D-H:MM:SS`.

    Raises:
        UsageError: It is none of these.
    """
    found = re.fullmatch(r"(?:(\d+)-)?(\d+)(?::(\d+))?(?::(\d+))?", limit.strip())
    if found is None:
        raise UsageError(f"--time {limit!r}: expected minutes, H:MM:SS or D-HH:MM:SS.")
    days, *parts = found.groups()
    numbers = [int(part) for part in parts if part is not None]
    if days is not None:
        hours, minutes, seconds = (*numbers, 0, 0)[:3]
    elif len(numbers) == 3:
        hours, minutes, seconds = numbers
    else:
        hours, (minutes, seconds) = 0, (*numbers, 0)[:2]
    return max(int(days or 0) * 1440 + hours * 60 + minutes + (1 if seconds else 0), 1)


class SlurmJobs:
    """Works on units in the jobs of a SLURM array.

    Args:
        wishes: What the user wants.
        needs_gpu: Whether a run needs a GPU.
        folder: Where units and logs are kept; all nodes reach it.

    Raises:
        MissingError: There is no `sbatch` here.
    """

    whole = True

    def __init__(self, wishes: ClusterWishes, needs_gpu: bool, folder: Path) -> None:
        import submitit

        self._folder = folder
        self._units: dict[str, Unit] = {}
        self._jobs: dict[str, Any] = {}
        self._left: dict[str, float] = {}
        self.places = wishes.jobs or 1
        self._job_class = submitit.SlurmJob
        logs = folder / "slurm"
        try:
            self._executor = submitit.SlurmExecutor(folder=logs, python=python_command(wishes.container))
        except RuntimeError as error:
            raise MissingError(f"--on slurm: {error} Run it where `sbatch` and `srun` are.") from None
        self._executor.update_parameters(**parameters(wishes, needs_gpu))

    def free(self) -> int:
        """All units are handed over at once; SLURM queues them."""
        return 1_000_000

    def begin(self, units: Sequence[Unit]) -> None:
        """Submit units as one array; those whose jobs are in the queue already are followed."""
        queued = queue()
        due = []
        for unit in units:
            self._units[unit.identity] = unit
            known = self._job_file(unit)
            number = known.read_text("utf-8").strip() if known.exists() else ""
            if number in queued:
                self._jobs[unit.identity] = self._job_class(folder=self._executor.folder, job_id=number)
            else:
                unit.save(self._unit_file(unit))
                due.append(unit)
        if not due:
            return
        jobs = self._executor.map_array(SlurmWork(), [str(self._unit_file(unit)) for unit in due])
        for unit, job in zip(due, jobs, strict=True):
            self._jobs[unit.identity] = job
            write_text(self._job_file(unit), f"{job.job_id}\n")

    def _unit_file(self, unit: Unit) -> Path:
        return self._folder / f"{unit.identity}.json"

    def _job_file(self, unit: Unit) -> Path:
        return self._folder / f"{unit.identity}.job"

    def ended(self, seconds: float) -> list[EndedUnit]:
        """The units whose jobs have ended."""
        time.sleep(seconds)
        queued = queue()
        found = []
        for identity, job in list(self._jobs.items()):
            unit = self._units[identity]
            if job.paths.result_pickle.exists():
                found.append(self._done(unit, job))
            elif job.job_id in queued:
                self._left.pop(identity, None)
            # An array's last job bears another number for a moment while it is queued again.
            elif time.monotonic() - self._left.setdefault(identity, time.monotonic()) > LOST_SECONDS:
                told = (
                    f"SLURM job {job.job_id} left the queue without a result; its log is {job.paths.stderr}"
                )
                found.append(EndedUnit(unit, error=told))
                del self._jobs[identity]
        return found

    def _done(self, unit: Unit, job: Any) -> EndedUnit:
        del self._jobs[unit.identity]
        self._job_file(unit).unlink(missing_ok=True)
        error = job.exception()
        if error is not None:
            lines = str(error).strip().splitlines() or [type(error).__name__]
            return EndedUnit(unit, error=f"SLURM job {job.job_id} failed: {lines[-1]}")
        file = self._unit_file(unit)
        return ended_by(unit, job.result(), file, file.with_suffix(".log"))

    def stop(self) -> None:
        """Leave the jobs where they are, and say so."""
        if self._jobs:
            numbers = " ".join(sorted({job.job_id.partition("_")[0] for job in self._jobs.values()}))
            print(
                f"{len(self._jobs)} SLURM jobs go on; the same command follows them again, and"
                f" `scancel {numbers}` ends them.",
                file=sys.stderr,
            )


def python_command(container: str) -> str | None:
    """How Python is started on a node; None for this very one."""
    if not container:
        return None
    if container.endswith((".sif", ".simg")) or "://" in container:
        return f"apptainer exec --nv {shlex.quote(container)} python3"
    return container


def parameters(wishes: ClusterWishes, needs_gpu: bool) -> dict[str, Any]:
    """The parameters of submitit's executor."""
    found: dict[str, Any] = {
        "job_name": "slubench",
        "time": minutes_in(wishes.time) if wishes.time else MINUTES,
        "array_parallelism": wishes.jobs or 256,
        "cpus_per_task": wishes.cpus or (8 if needs_gpu else 1),
        "additional_parameters": {"requeue" if wishes.requeue else "no-requeue": True},
    }
    if needs_gpu:
        found["gpus_per_node"] = 1
    for name, value in (
        ("mem", wishes.memory),
        ("partition", wishes.partition),
        ("account", wishes.account),
    ):
        if value:
            found[name] = value
    return found


def queue() -> set[str]:
    """The numbers of the user's jobs that are queued or running, as in `12_3`."""
    ran = subprocess.run(["squeue", "--me", "-h", "-r", "-o", "%i"], capture_output=True, text=True)
    if ran.returncode:
        raise MissingError(f"squeue does not answer: {ran.stderr.strip() or ran.returncode}")
    return set(ran.stdout.split())
