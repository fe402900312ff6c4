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

import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from slubench.conformance.file_watch import FileWatch
from slubench.runtime.opened_files import OUTSIDE, is_code, line_at_work


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

    def start(self) -> None:
        """Listen from now on; a hook can't be taken off again, so this is for a process of its own."""
        sys.addaudithook(self._hear)

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event != "open" and event not in OUTSIDE:
            return
        line = line_at_work(sys._getframe(1), str(self.file))
        if line is None:
            return
        if event != "open":
            self._note(Opened(event, line))
        elif isinstance(arguments[0], str | bytes) and self._counts(name := os.fsdecode(arguments[0])):
            self._note(Opened(os.path.realpath(name), line))

    def _note(self, opened: Opened) -> None:
        if opened not in self.seen:
            self.seen.append(opened)

    def _counts(self, name: str) -> bool:
        path = Path(os.path.realpath(name))
        if str(path) in self.allowed or path == self.file or _within(path, self.harmless):
            return False
        if _within(path, self.private):
            return True
        # Importing a module opens its code; whether it may be imported is asked elsewhere.
        return not is_code(path)


def watch_over(audit: Audit, watch: FileWatch, allowed: frozenset[str]) -> list[Opened]:
    """What was reached for since last asked: what the hook heard, and what the kernel alone saw."""
    heard, audit.seen = audit.seen, []
    known = allowed | {opened.what for opened in heard}
    return heard + [Opened(name) for name in watch.opened() if name not in known]


def _within(path: Path, folders: Iterable[Path]) -> bool:
    return any(path.is_relative_to(folder) for folder in folders)
