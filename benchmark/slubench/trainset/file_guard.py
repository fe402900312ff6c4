"""Refuses files that a strategy's `compose` reads: what they hold is in no fingerprint.

An audit hook of Python (PEP 578) hears of every file that Python opens. It does not hear of files that a C
library opens by itself; `slubench check` looks for those too (`slubench.conformance.audit`).
"""

from __future__ import annotations

import importlib.machinery
import os
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Any, Final

from slubench.errors import DeclarationError

CODE: Final = tuple(importlib.machinery.all_suffixes())
MACHINE: Final = ("/proc", "/sys", "/dev", "/etc")
"""What libraries read of the machine when they are first loaded."""
PROCESSES: Final = ("subprocess.Popen", "os.system", "os.posix_spawn", "socket.connect")
_WRITES: Final = os.O_WRONLY | os.O_RDWR


@dataclass
class _Guard:
    """Whose code is at work.

    Attributes:
        file: Real path of the strategy's file.
        where: Its name and stage, for messages.
        allowed: Files that it may read.
        found: The first problem; the code may have caught its error.
    """

    file: str
    where: str
    allowed: frozenset[str]
    found: list[DeclarationError] = field(default_factory=list)

    def hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        line = self._line(sys._getframe(2))
        if line is None:
            return
        if event == "open":
            name, _, flags = arguments
            if not isinstance(name, str | bytes) or (isinstance(flags, int) and flags & _WRITES):
                return
            path = os.path.realpath(os.fsdecode(name))
            if path in self.allowed or path == self.file or _is_code(path):
                return
            what = f"reads {path}"
        else:
            what = f"starts a process or opens a connection ({event})"
        self.found.append(
            DeclarationError(
                f"{self.where}, line {line}: it {what}. A strategy's fingerprint covers Python source alone:"
                " write the values into the strategy's file or into a Python module beside it."
            )
        )
        raise self.found[0]

    def _line(self, frame: FrameType | None) -> int | None:
        """The innermost line of the strategy's file that is at work; None where none is."""
        while frame is not None:
            if _real(frame.f_code.co_filename) == self.file:
                return frame.f_lineno
            frame = frame.f_back
        return None


_guards: list[_Guard] = []
_off = False


@contextmanager
def no_files(file: str, where: str, allowed: frozenset[str] = frozenset()) -> Iterator[None]:
    """Raise an error where code of a file reads another file within the block.

    Args:
        file: The strategy's file.
        where: Its name and stage, for messages.
        allowed: Files that it may read, such as bought recordings.

    Raises:
        DeclarationError: It reads one, starts a process, or opens a connection.
    """
    if _off:
        yield
        return
    _listen()
    guard = _Guard(os.path.realpath(file), where, frozenset(map(os.path.realpath, allowed)))
    _guards.append(guard)
    try:
        yield
    finally:
        _guards.remove(guard)
    if guard.found:
        raise guard.found[0]


@contextmanager
def unguarded() -> Iterator[None]:
    """Refuse nothing within the block: for an audit that reports all that is opened together."""
    global _off
    before, _off = _off, True
    try:
        yield
    finally:
        _off = before


@cache
def _listen() -> None:
    """Add the hook once: it cannot be removed."""

    def hear(event: str, arguments: tuple[Any, ...]) -> None:
        if _guards and (event == "open" or event in PROCESSES):
            _guards[-1].hear(event, arguments)

    sys.addaudithook(hear)


@cache
def _real(name: str) -> str:
    return os.path.realpath(name)


@cache
def _libraries() -> tuple[Path, ...]:
    roots = {sys.prefix, sys.base_prefix, *sysconfig.get_paths().values()}
    return tuple(Path(os.path.realpath(root)) for root in (*roots, *MACHINE))


def _is_code(name: str) -> bool:
    path = Path(name)
    cached = "__pycache__" in path.parts
    return cached or name.endswith(CODE) or any(path.is_relative_to(root) for root in _libraries())
