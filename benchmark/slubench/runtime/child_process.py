"""Runs training and inference in separate processes, so that the GPU is free between them.

Each such process leads a process group, which holds what it starts itself (vLLM's workers). Signals are
forwarded to it; when it has ended, what is left of its group is ended too. It ends with this process, see
`slubench.runtime.child`.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from types import FrameType
from typing import IO

from slubench.errors import DeclarationError, SlubenchError
from slubench.runtime.locks import inherited

# Two cores spinning at a barrier are slower than one (OpenMP's default waits actively).
CALM: Mapping[str, str] = {"OMP_WAIT_POLICY": "PASSIVE", "TOKENIZERS_PARALLELISM": "false"}
PARENT = "SLUBENCH_PARENT_PID"
"""The environment variable that tells a process of ours which process it ends with."""
GRACE = 120.0
"""Seconds for a process that was told to end: an update and its checkpoint may be under way."""


class ProcessError(SlubenchError):
    """A training or serving process failed, and has reported why."""


class Terminated(BaseException):
    """SIGTERM or SIGHUP came. Like KeyboardInterrupt no `except Exception` catches it.

    Attributes:
        number: The signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number


def raise_on_termination() -> None:
    """Let SIGTERM and SIGHUP raise `Terminated`, so that what is under way is put away.

    A signal that whoever started this process set to be ignored (`nohup`) stays ignored.
    """

    def end(number: int, frame: FrameType | None) -> None:
        raise Terminated(number)

    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) == signal.SIG_DFL:
                signal.signal(number, end)


def child_environment() -> dict[str, str]:
    """The environment of a process of ours: this one's, with this very package on the path."""
    roots = [str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")]
    path = os.pathsep.join(root for root in roots if root)
    return {**CALM, **os.environ, "PYTHONPATH": path, PARENT: str(os.getpid())}


def run_module(module: str, job: Path, meanwhile: Callable[[], None] | None = None) -> None:
    """Run `python -m module job` to its end, its progress on our stderr.

    Args:
        module: As in `slubench.train`.
        job: The JSON file that says what to do.
        meanwhile: Called every second while it runs.

    Raises:
        ProcessError: It failed.
        KeyboardInterrupt: It was interrupted.
        Terminated: This process was told to end, and the other has ended before it.
    """
    code = run_child(module, job, group=True, meanwhile=meanwhile)
    if code == 130:
        raise KeyboardInterrupt
    if code:
        how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
        again = "Run the same command again to resume from the last checkpoint."
        if code == DeclarationError.exit_code:
            # Whoever declared it must mend it: the same command would end in the same way.
            again = "The reason stands above; mend what it names, then run the command again."
        raise ProcessError(f"{module} {how}; its folder is {job.parent}. {again}")


def run_child(
    module: str,
    job: Path,
    *,
    group: bool,
    stderr: IO[str] | None = None,
    meanwhile: Callable[[], None] | None = None,
) -> int:
    """Run a module that ends with this process, and give its exit code.

    Args:
        module: As in `slubench.serve`.
        job: Its only argument.
        group: Whether it leads a process group of its own rather than stay in this one's.
        stderr: Where its stderr goes; this process's own by default.
        meanwhile: Called every second while it runs.
    """
    # -P: the folder one stands in may be anybody's, and no module is taken from it.
    command = [sys.executable, "-P", "-m", "slubench.runtime.child", module, str(job)]
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stderr=stderr,
        env=child_environment(),
        pass_fds=inherited(),
        process_group=0 if group else None,
    )
    try:
        with _suspended_together(process.pid) if group else nullcontext():
            return _wait(process, meanwhile)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        if group:
            end_group(process.pid)


def _wait(process: subprocess.Popen[bytes], meanwhile: Callable[[], None] | None) -> int:
    stopped: BaseException | None = None
    deadline = 0.0
    while True:
        try:
            code = process.wait(1.0 if meanwhile is not None or stopped is not None else None)
            break
        except subprocess.TimeoutExpired:
            if stopped is not None:
                if time.monotonic() > deadline:
                    raise stopped from None
            elif meanwhile is not None:
                meanwhile()
        # The first signal lets it write its checkpoint; a second one interrupts it at once.
        except (KeyboardInterrupt, Terminated) as error:
            stopped, deadline = error, time.monotonic() + GRACE
            process.send_signal(error.number if isinstance(error, Terminated) else signal.SIGINT)
    if stopped is not None:
        raise stopped
    return code


def end_group(leader: int, patience: float = 2.0) -> None:
    """End what is left of a process group whose leader has ended.

    Args:
        leader: The leader's process id, which is the group's.
        patience: Seconds in which its processes may end by themselves, as those of multiprocessing do.
    """
    deadline = time.monotonic() + patience
    try:
        while time.monotonic() < deadline:
            os.killpg(leader, 0)
            time.sleep(0.02)
        os.killpg(leader, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):  # macOS says the second of a group of zombies
        return


@contextmanager
def _suspended_together(leader: int) -> Iterator[None]:
    """Let Ctrl-Z, which reaches this process's group alone, suspend the other group too."""
    if (
        threading.current_thread() is not threading.main_thread()
        or signal.getsignal(signal.SIGTSTP) != signal.SIG_DFL
    ):
        yield
        return

    def suspend(number: int, frame: FrameType | None) -> None:
        os.killpg(leader, signal.SIGSTOP)
        os.kill(os.getpid(), signal.SIGSTOP)
        os.killpg(leader, signal.SIGCONT)

    signal.signal(signal.SIGTSTP, suspend)
    try:
        yield
    finally:
        signal.signal(signal.SIGTSTP, signal.SIG_DFL)


def last_line(log: Path) -> str:
    """The last line that was printed, without what a terminal would obey."""
    lines = log.read_text("utf-8", errors="replace").strip().splitlines() or ["it printed nothing"]
    return "".join(char for char in lines[-1] if char.isprintable())[:500]
