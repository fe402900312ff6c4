"""Reads events of Python's audit hooks (PEP 578): whose code opened a file, and whether that file is code."""

from __future__ import annotations

import importlib.machinery
import os
import sys
import sysconfig
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Final

OUTSIDE: Final = (
    "socket.connect",
    "socket.getaddrinfo",
    "subprocess.Popen",
    "os.system",
    "os.exec",
    "os.posix_spawn",
)
"""Events of processes and sockets; `subprocess.Popen` is raised beside those of the system's calls."""
_CODE: Final = tuple(importlib.machinery.all_suffixes())
_MACHINE: Final = ("/proc", "/sys", "/dev", "/etc")


def line_at_work(frame: FrameType | None, file: str) -> int | None:
    """The innermost line of a file that is at work in a stack; None where none is.

    Args:
        frame: The innermost frame.
        file: Real path of the file.
    """
    while frame is not None:
        if _real(frame.f_code.co_filename) == file:
            return frame.f_lineno
        frame = frame.f_back
    return None


def is_code(path: Path) -> bool:
    """Whether a file, by its real path, is Python's code, or a library's, or one of the machine's own."""
    cached = "__pycache__" in path.parts
    return cached or path.name.endswith(_CODE) or any(path.is_relative_to(root) for root in _libraries())


@cache
def _real(name: str) -> str:
    return os.path.realpath(name)


@cache
def _libraries() -> tuple[Path, ...]:
    roots = {sys.prefix, sys.base_prefix, *sysconfig.get_paths().values(), *_MACHINE}
    return tuple(Path(os.path.realpath(root)) for root in roots)
