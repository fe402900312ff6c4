"""Asks the kernel which files of some folders were opened, by whatever library or process (Linux, inotify).

Called through the C library, since Python has no module for it and those that wrap it offer threads and
queues, where one question at the end is all that is needed. See inotify(7).
"""

from __future__ import annotations

import ctypes
import os
import struct
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

OPENED = 0x00000020  # IN_OPEN
OF_FOLDER = 0x40000000  # IN_ISDIR
OVERFLOW = 0x00004000  # IN_Q_OVERFLOW
HEAD = struct.Struct("iIII")  # watch descriptor, mask, cookie, length of the name


class FileWatch:
    """Which files of some folders, and of the folders below, are opened from now on.

    Attributes:
        working: Whether the kernel watches; False on other systems than Linux, and without watches left.
    """

    def __init__(self, roots: Iterable[Path]) -> None:
        self._folders: dict[int, Path] = {}
        self._queue = -1
        self.working = sys.platform == "linux" and self._begin(roots)

    def opened(self) -> list[str]:
        """Real paths of the files opened since last asked, in order, each once."""
        found: list[str] = []
        while self.working:
            try:
                events = os.read(self._queue, 1 << 16)
            except BlockingIOError:
                break
            found += _names(events, self._folders)
        return list(dict.fromkeys(found))

    def close(self) -> None:
        """Watch no longer."""
        if self._queue >= 0:
            os.close(self._queue)
            self._queue, self.working = -1, False

    def _begin(self, roots: Iterable[Path]) -> bool:
        library = ctypes.CDLL(None, use_errno=True)
        if not hasattr(library, "inotify_init1"):
            return False
        self._queue = library.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if self._queue < 0:
            return False
        for root in roots:
            for folder, _, _ in os.walk(root):
                number = library.inotify_add_watch(self._queue, os.fsencode(folder), OPENED)
                if number < 0:
                    return False
                self._folders[number] = Path(os.path.realpath(folder))
        # Walking opened the folders themselves; that is of no interest.
        self.working = True
        self.opened()
        return True


def _names(events: bytes, folders: dict[int, Path]) -> Iterator[str]:
    at = 0
    while at < len(events):
        watched, mask, _, length = HEAD.unpack_from(events, at)
        at += HEAD.size
        name = events[at : at + length].rstrip(b"\0")
        at += length
        if mask & OVERFLOW:
            yield "more files than the kernel could report"
        elif name and watched in folders and not mask & OF_FOLDER:
            yield str(folders[watched] / os.fsdecode(name))
