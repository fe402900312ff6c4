"""Runs bubblewrap under a supervisor: what it uses is looked at, and everything in it is ended whole.

All processes of a sandbox have one ancestor, the first of their namespace. When that is killed the kernel
kills the others, whatever signals they ignore and whoever is their parent, before it tells of the end.
"""

from __future__ import annotations

import json
import os
import select
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from slubench.runtime.cgroups import SLACK, control_groups
from slubench.runtime.limits import (
    LimitError,
    Limits,
    check_processes,
    files_in_memory,
    in_units,
    look_over,
)
from slubench.runtime.seal import CHANNEL

EVERY = 0.05
"""Seconds between two looks at processes and memory."""
IN_MEMORY = ("/tmp", "/dev/shm")
MOST_TOLD = 2**20
"""Bytes that a sandbox may tell of its files."""

# Runs a command inside, and tells what it left running. The exit code is that of the command.
INNER = """
import json, os, sys, time
channel = int(sys.argv[1])
process = os.fork()
if not process:
    os.execv(sys.argv[2], sys.argv[2:])
code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
until = time.monotonic() + 2
def left():
    return sum(name.isdigit() and int(name) not in (1, os.getpid()) for name in os.listdir("/proc"))
while code == 0 and left() and time.monotonic() < until:
    time.sleep(0.02)
os.write(channel, json.dumps({"left": left() if code == 0 else 0}).encode() + b"\\n")
os._exit(code if code >= 0 else 128 - code)
"""


@dataclass
class Ended:
    """How a sandbox ended.

    Attributes:
        code: Its exit code, 128 and more for a signal.
        sealed: Files that its command told to be finished, with their SHA-256.
        fault: What was wrong beside the exit code, empty where nothing was.
    """

    code: int = 0
    sealed: Mapping[str, str] = field(default_factory=dict)
    fault: str = ""


def supervise(
    bubblewrap: Callable[[Mapping[str, str], Sequence[str]], list[str]],
    command: Sequence[str],
    log: Path,
    writable: Sequence[Path],
    seconds: float | None,
    limits: Limits,
) -> Ended:
    """Run a command in a sandbox until it ends or uses more than it may.

    Args:
        bubblewrap: The command line of the sandbox, given its further variables and what bubblewrap is told
            beside the walls; the command follows it.
        command: What is run in it.
        log: Takes what is printed, as far as the limits allow.
        writable: Folders whose content counts.
        seconds: After which it is ended.
        limits: What it may use.
    """
    pipes = {name: os.pipe() for name in ("printed", "told", "info", "go")}
    ours = {name: pipes[name][1 if name == "go" else 0] for name in pipes}
    theirs = {name: pipes[name][0 if name == "go" else 1] for name in pipes}
    told = str(theirs["told"])
    options = ["--info-fd", str(theirs["info"]), "--block-fd", str(theirs["go"])]
    inner = [sys.executable, "-I", "-S", "-c", INNER, told, *command]
    first: int | None = None
    try:
        with control_groups(limits) as groups:
            process = subprocess.Popen(
                [*bubblewrap({CHANNEL: told}, options), *inner],
                stdin=subprocess.DEVNULL,
                stdout=theirs["printed"],
                stderr=subprocess.STDOUT,
                pass_fds=[theirs[name] for name in ("told", "info", "go")],
                env={},
            )
            try:
                while theirs:
                    os.close(theirs.popitem()[1])
                root = _first_process(ours["info"])
                if root is not None:
                    first = _pidfd(root)
                    groups.add(root)
                    _limit(root, limits)
                with suppress(BrokenPipeError):
                    os.write(ours["go"], b"go")
                supervisor = _Supervisor(process, root, ours, log, writable, seconds, limits)
                ended = supervisor.watch()
            finally:
                _end(process, first)
            if ended.code and not ended.fault and groups.ran_out_of_memory():
                ended.fault = f"used more than {in_units(limits.memory)} of memory"
            supervisor.drain(ended)
            return ended
    finally:
        for number in (*ours.values(), *theirs.values(), *([first] if first is not None else [])):
            os.close(number)


def _pidfd(process: int) -> int | None:
    try:
        return os.pidfd_open(process)
    except ProcessLookupError:
        return None


def _first_process(info: int) -> int | None:
    """The first process of the sandbox; None where it was not built."""
    told = b""
    while part := os.read(info, 4096):
        told += part
    try:
        return int(json.loads(told)["child-pid"])
    except (ValueError, KeyError):
        return None


def _limit(process: int, limits: Limits) -> None:
    """What the kernel refuses by itself, for each process; what they start has the same limits."""
    import resource

    wanted = {
        # What is asked for, of which less is used: stacks of threads, mainly.
        resource.RLIMIT_DATA: 2 * limits.memory,
        resource.RLIMIT_FSIZE: limits.disk,
        # Root's processes are not counted by the kernel; they are by us.
        resource.RLIMIT_NPROC: limits.processes + SLACK,
        resource.RLIMIT_CORE: 0,
    }
    for kind, most in wanted.items():
        with suppress(ProcessLookupError):
            _, hard = resource.prlimit(process, kind)
            most = most if hard == resource.RLIM_INFINITY else min(most, hard)
            resource.prlimit(process, kind, (most, most))


def _end(process: subprocess.Popen[bytes], first: int | None) -> None:
    """End everything, and wait for it."""
    if first is not None:
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(first, signal.SIGKILL)
    process.kill()
    process.wait()
    if first is not None:
        select.select([first], [], [], 60.0)


class _Supervisor:
    """Reads what a sandbox prints and tells, and looks at what it uses."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        root: int | None,
        pipes: Mapping[str, int],
        log: Path,
        writable: Sequence[Path],
        seconds: float | None,
        limits: Limits,
    ) -> None:
        self._process, self._root, self._log = process, root, log
        self._writable, self._limits = writable, limits
        self._until = None if seconds is None else time.monotonic() + seconds
        self._seconds = seconds
        self._pipes = {name: pipes[name] for name in ("printed", "told")}
        self._read = {"printed": 0, "told": 0}
        self._told = b""
        log.write_bytes(b"")

    def watch(self) -> Ended:
        """Until it ends, or what it uses is too much."""
        with selectors.DefaultSelector() as selector:
            for name, number in self._pipes.items():
                os.set_blocking(number, False)
                selector.register(number, selectors.EVENT_READ, name)
            ending = os.pidfd_open(self._process.pid)
            try:
                selector.register(ending, selectors.EVENT_READ, "end")
                return self._until_the_end(selector)
            finally:
                os.close(ending)

    def _until_the_end(self, selector: selectors.BaseSelector) -> Ended:
        look, thorough = time.monotonic() + EVERY, 0.0
        try:
            while self._process.poll() is None:
                for key, _ in selector.select(max(look - time.monotonic(), 0.0)):
                    if key.data != "end" and not self._take(key.data):
                        selector.unregister(key.fd)
                now = time.monotonic()
                if self._until is not None and now >= self._until:
                    return Ended(1, fault=f"took longer than {self._seconds:g} s")
                if now >= look:
                    self._look(thorough=now >= thorough)
                    spent = time.monotonic() - now
                    # Looking at many files takes long: a tenth of the time at most.
                    thorough = thorough if now < thorough else now + max(4 * EVERY, 9 * spent)
                    look = time.monotonic() + max(EVERY, spent)
        except LimitError as error:
            return Ended(1, fault=str(error))
        code = self._process.returncode
        return Ended(code if code >= 0 else 128 - code)

    def _look(self, thorough: bool) -> None:
        in_memory = 0
        if self._root is not None:
            found = files_in_memory(self._root, IN_MEMORY)
            in_memory = found.size
            if found.count > self._limits.files:
                raise LimitError(f"made more than {self._limits.files:,} files and folders")
            check_processes(self._root, self._limits, in_memory)
        if thorough:
            look_over(self._writable, self._limits)

    def _take(self, name: str) -> bool:
        """Read what is there; whether more may come."""
        try:
            part = os.read(self._pipes[name], 65_536)
        except BlockingIOError:
            return True
        self._read[name] += len(part)
        if name == "told":
            if self._read[name] > MOST_TOLD:
                raise LimitError(f"told more than {in_units(MOST_TOLD)} about its files")
            self._told += part
        else:
            with self._log.open("ab") as log:
                log.write(part)
            if self._read[name] > self._limits.output:
                raise LimitError(f"printed more than {in_units(self._limits.output)}")
        return bool(part)

    def drain(self, ended: Ended) -> None:
        """Read what is left in the pipes when everything has ended, and what was told by it."""
        try:
            for name in self._pipes:
                while self._take(name):
                    if not select.select([self._pipes[name]], [], [], 0)[0]:
                        break
        except LimitError as error:
            ended.fault = ended.fault or str(error)
        sealed: list[Any] = []
        left = 0
        for line in self._told.splitlines():
            with suppress(ValueError, TypeError, AttributeError, RecursionError):
                message = json.loads(line)
                sealed += [message["sealed"]] if "sealed" in message else []
                left = message.get("left", left)
        if ended.code or ended.fault:
            return
        if left:
            ended.fault = "left processes running when it had ended"
        elif len(sealed) > 1:
            ended.fault = "told more than once that its files are finished"
        elif sealed and isinstance(sealed[0], dict):
            ended.sealed = sealed[0]
