"""Records the files that are opened while a strategy's code runs, in the process that imports it.

Two witnesses. An audit hook of Python hears of every file that Python itself opens, and sees by the stack
whether a strategy's code is at work and in which line; it also hears of sockets and of other processes. It
does not hear of files that a C library opens by itself, as Arrow and libsndfile do. For these the kernel is
asked (inotify, on Linux): of the rehearsal's own recordings it tells every opening, by whatever library or
child process, but not by which line.

What neither sees: a C library that opens other files than the rehearsal's, such as the real corpus; and a
strategy that sets out to deceive, which runs in the same process as its auditor. Against that stands
retraining, where those files are not there (`slubench.submission.retrain`).
"""

from __future__ import annotations

import importlib.machinery
import os
import sys
import sysconfig
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

from slubench.conformance.file_watch import FileWatch

CODE = tuple(importlib.machinery.all_suffixes())
# What libraries read of the machine when they are first loaded.
MACHINE = tuple(Path(name) for name in ("/proc", "/sys", "/dev", "/etc"))
# Events of processes and sockets; `subprocess.Popen` is raised beside those of the system's calls.
OUTSIDE = (
    "socket.connect",
    "socket.getaddrinfo",
    "subprocess.Popen",
    "os.system",
    "os.exec",
    "os.posix_spawn",
)


@dataclass(frozen=True)
class Opened:
    """A file that was opened, or something else reached for, while a strategy's code ran.

    Attributes:
        what: Path of the file, or the event.
        line: Line of the strategy's file, 0 where it can't be told.
    """

    what: str
    line: int = 0


@dataclass
class Audit:
    """What a strategy's code was seen to reach for.

    Attributes:
        file: Real path of the strategy's file.
        allowed: Files it may open: clips that were bought.
        private: Folders whose files count although they lie beside code, such as an embedded corpus.
        harmless: Folders the harness itself opens files of on the strategy's behalf.
        seen: What was seen.
    """

    file: Path
    allowed: frozenset[str] = frozenset()
    private: tuple[Path, ...] = ()
    harmless: tuple[Path, ...] = ()
    seen: list[Opened] = field(default_factory=list)
    _libraries: tuple[Path, ...] = field(init=False)
    _own: dict[str, bool] = field(default_factory=dict)

    def __post_init__(self) -> None:
        roots = {sys.prefix, sys.base_prefix, *sysconfig.get_paths().values()}
        self._libraries = tuple(Path(os.path.realpath(root)) for root in roots)

    def start(self) -> None:
        """Listen from now on; a hook can't be taken off again, so this is for a process of its own."""
        sys.addaudithook(self._hear)

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event != "open" and event not in OUTSIDE:
            return
        line = self._line(sys._getframe(1))
        if line is None:
            return
        if event != "open":
            self._note(Opened(event, line))
        elif isinstance(arguments[0], str | bytes) and self._counts(name := os.fsdecode(arguments[0])):
            self._note(Opened(os.path.realpath(name), line))

    def _note(self, opened: Opened) -> None:
        if opened not in self.seen:
            self.seen.append(opened)

    def _line(self, frame: FrameType | None) -> int | None:
        """The innermost line of the strategy's file that is at work, None where none is."""
        while frame is not None:
            name = frame.f_code.co_filename
            if name not in self._own:
                self._own[name] = os.path.realpath(name) == str(self.file)
            if self._own[name]:
                return frame.f_lineno
            frame = frame.f_back
        return None

    def _counts(self, name: str) -> bool:
        path = Path(os.path.realpath(name))
        if str(path) in self.allowed or path == self.file or _within(path, self.harmless):
            return False
        if _within(path, self.private):
            return True
        # Importing a module opens its code; whether it may be imported is asked elsewhere.
        return not (path.name.endswith(CODE) or _within(path, (*MACHINE, *self._libraries)))


def watch_over(audit: Audit, watch: FileWatch, allowed: frozenset[str]) -> list[Opened]:
    """What was reached for since last asked: what the hook heard, and what the kernel alone saw."""
    heard, audit.seen = audit.seen, []
    known = allowed | {opened.what for opened in heard}
    return heard + [Opened(name) for name in watch.opened() if name not in known]


def _within(path: Path, folders: Iterable[Path]) -> bool:
    return any(path.is_relative_to(folder) for folder in folders)
