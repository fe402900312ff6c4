"""File locks between processes; the kernel releases them however a process ends.

A lock belongs to the open file. Processes that this one starts while it is held inherit it,
so that it is free only when the last of them has ended: a child that outlives its killed parent for a moment
is never disturbed by the next run.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

_held: list[int] = []


@contextmanager
def locked(path: Path, what: str, say: Callable[[str], None]) -> Iterator[None]:
    """Hold a lock, and wait for it while another process has it.

    Args:
        path: The lock's file; made where it is missing, and left there.
        what: What is done while it is held, for the message, as in "training x".
        say: Told who has the lock, before waiting.
    """
    import fcntl

    path.parent.mkdir(parents=True, exist_ok=True)
    number = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        try:
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"{what}: waiting for process {_holder(number)}, which is already doing this (lock {path})")
            fcntl.flock(number, fcntl.LOCK_EX)
        except OSError as error:
            # Some network file systems have no locks; a single process works there all the same.
            say(f"{path} cannot be locked ({error.strerror}); run one process at a time in this HOME")
        os.ftruncate(number, 0)
        os.pwrite(number, str(os.getpid()).encode(), 0)
        _held.append(number)
        yield
    finally:
        if number in _held:
            _held.remove(number)
        os.close(number)


@contextmanager
def all_locked(paths: Iterable[Path], what: str, say: Callable[[str], None]) -> Iterator[None]:
    """Hold several locks; taken in one order by all, so that no two processes wait for one another."""
    with ExitStack() as stack:
        for path in sorted(set(paths)):
            stack.enter_context(locked(path, what, say))
        yield


def inherited() -> tuple[int, ...]:
    """The file descriptors of the locks held now, for processes that are started meanwhile."""
    return tuple(_held)


def try_lock(folder: Path) -> int | None:
    """Lock a folder itself without waiting.

    Returns:
        The open file descriptor that holds the lock, or None where another process has it.
    """
    import fcntl

    number = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(number)
        return None
    return number


def _holder(number: int) -> str:
    told = os.pread(number, 32, 0).decode("ascii", "replace").strip()
    return told if told.isdigit() else "(unknown)"


def is_held(lock: Path) -> bool:
    """Whether a process holds a lock."""
    import fcntl

    try:
        number = os.open(lock, os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(number, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(number)
    return False
