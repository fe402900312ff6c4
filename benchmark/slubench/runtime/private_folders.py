"""Large folders that one process makes for itself; what a killed process left of them is removed by the next.

Each is locked by its maker for as long as that lives, so that no other process ever removes it.
"""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from slubench.runtime.locks import try_lock

_TOKEN = uuid.uuid4().hex[:8]
_locks: dict[Path, int] = {}


def own_name(name: str) -> str:
    """A folder's name that no other process takes: with this process's id and a random part."""
    return f"{name}-{os.getpid()}-{_TOKEN}"


@contextmanager
def building(folder: Path) -> Iterator[Path]:
    """Give a temporary folder that becomes `folder`, locked, when the block ends without error.

    Args:
        folder: A path whose last part `own_name` made.
    """
    temporary = folder.with_name(f".{folder.name}.tmp")
    temporary.mkdir(parents=True)
    lock = try_lock(temporary)
    try:
        yield temporary
        temporary.rename(folder)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        if lock is not None:
            os.close(lock)
        raise
    if lock is not None:
        _locks[folder] = lock


def remove(folder: Path) -> None:
    """Remove a folder that this process made."""
    shutil.rmtree(folder, ignore_errors=True)
    if (lock := _locks.pop(folder, None)) is not None:
        os.close(lock)


def remove_abandoned_merges(folders: Iterable[Path]) -> None:
    """Remove merged weights, complete or not, that killed processes left in some folders."""
    patterns = ("merged-*", ".merged-*.tmp")
    remove_abandoned(merged for folder in folders for pattern in patterns for merged in folder.glob(pattern))


def remove_abandoned(folders: Iterable[Path]) -> None:
    """Remove those of the folders, finished or not, whose maker is gone."""
    for folder in folders:
        if folder in _locks or not folder.is_dir():
            continue
        lock = try_lock(folder)
        if lock is not None:
            shutil.rmtree(folder, ignore_errors=True)
            os.close(lock)
