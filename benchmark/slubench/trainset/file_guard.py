"""Refuses files that a strategy's `compose` reads: what they hold is in no fingerprint.

An audit hook of Python (PEP 578) hears of every file that Python opens. It does not hear of files that a C
library opens by itself; `slubench check` looks for those too (`slubench.conformance.audit`).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

from slubench.errors import DeclarationError
from slubench.runtime.opened_files import OUTSIDE, is_code, line_at_work

_ACCESS: Final = os.O_WRONLY | os.O_RDWR
_NEW: Final = (os.O_CREAT | os.O_EXCL, getattr(os, "O_TMPFILE", os.O_CREAT | os.O_EXCL))


def _returns_nothing(flags: int) -> bool:
    """Whether a file that is opened so gives back nothing that it held before."""
    emptied = flags & os.O_TRUNC or any(flags & new == new for new in _NEW)
    return flags & _ACCESS == os.O_WRONLY or (flags & _ACCESS == os.O_RDWR and bool(emptied))


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
        line = line_at_work(sys._getframe(2), self.file)
        if line is None:
            return
        if event == "open":
            name, _, flags = arguments
            if not isinstance(name, str | bytes) or (isinstance(flags, int) and _returns_nothing(flags)):
                return
            path = os.path.realpath(os.fsdecode(name))
            if path in self.allowed or path == self.file or is_code(Path(path)):
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
        if _guards and (event == "open" or event in OUTSIDE):
            _guards[-1].hear(event, arguments)

    sys.addaudithook(hear)
