"""How much of a machine a sandbox may use, and how much it does use."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from slubench.runtime.memory import PAGE, usable_memory

GIBI = 2**30


def _three_quarters_of_memory() -> int:
    return 3 * usable_memory() // 4


@dataclass(frozen=True)
class Limits:
    """What all processes of a sandbox may use together.

    Attributes:
        memory: Bytes of memory; its files in memory (/tmp, /dev/shm) count.
        processes: Processes and threads.
        disk: Bytes of the files it writes, by their length: a sparse file counts in full.
        files: Files and folders it writes.
        output: Bytes it prints.
        deepest: Levels of folders it makes.
    """

    memory: int = field(default_factory=_three_quarters_of_memory)
    processes: int = 1_024
    disk: int = 50 * GIBI
    files: int = 100_000
    output: int = 16 * 2**20
    deepest: int = 32

    @property
    def in_memory(self) -> int:
        """Bytes of files in memory, for each of /tmp and /dev/shm."""
        return min(GIBI, self.memory // 4)


class LimitError(Exception):
    """More is used than is allowed; the message says what was done, as in "started more than 5 processes"."""


@dataclass(frozen=True)
class WrittenFiles:
    """What lies in a folder, as far as the limits allow to look.

    Attributes:
        paths: Regular files.
        strange: What is neither a regular file nor a folder: links, pipes, sockets, devices.
    """

    paths: tuple[Path, ...]
    strange: tuple[Path, ...]


def look_over(folders: Sequence[Path], limits: Limits) -> WrittenFiles:
    """See what lies in folders; no link is followed, and no more is looked at than the limits allow.

    Args:
        folders: Where.
        limits: What may lie there.

    Raises:
        LimitError: It is too much, too deep, or can't be looked at.
    """
    count = size = 0
    paths: list[Path] = []
    strange: list[Path] = []
    for entry, depth in _entries(folders):
        count += 1
        if count > limits.files:
            raise LimitError(f"made more than {limits.files:,} files and folders")
        if depth > limits.deepest:
            raise LimitError(f"made folders more than {limits.deepest} levels deep")
        try:
            found = entry.stat(follow_symlinks=False)
        except FileNotFoundError:
            continue  # It is being renamed.
        except OSError as error:
            raise LimitError(f"made a file that can't be looked at ({error.strerror})") from None
        if stat.S_ISREG(found.st_mode):
            paths.append(Path(entry.path))
            size += max(found.st_size, 512 * found.st_blocks)
        elif not stat.S_ISDIR(found.st_mode):
            strange.append(Path(entry.path))
        if size > limits.disk:
            raise LimitError(f"wrote files of more than {in_units(limits.disk)}")
    return WrittenFiles(tuple(paths), tuple(strange))


def _entries(folders: Sequence[Path]) -> Iterator[tuple[os.DirEntry[str], int]]:
    """Everything below folders, with how many levels below; folders before what they hold."""
    left = [(str(folder), 1) for folder in folders]
    while left:
        folder, depth = left.pop()
        try:
            with os.scandir(folder) as found:
                for entry in found:
                    yield entry, depth
                    if entry.is_dir(follow_symlinks=False):
                        left.append((entry.path, depth + 1))
        except FileNotFoundError:
            continue
        except OSError as error:
            raise LimitError(f"made a folder that can't be looked at ({error.strerror})") from None


@dataclass(frozen=True)
class FilesInMemory:
    """What lies in a sandbox's /tmp and /dev/shm.

    Attributes:
        size: Bytes.
        count: Files and folders.
    """

    size: int
    count: int


def files_in_memory(root: int, places: Sequence[str]) -> FilesInMemory:
    """What lies in the file systems in memory that the process `root` sees."""
    size = count = 0
    for place in places:
        try:
            found = os.statvfs(f"/proc/{root}/root{place}")
        except OSError:
            continue
        size += (found.f_blocks - found.f_bfree) * found.f_frsize
        count += found.f_files - found.f_ffree
    return FilesInMemory(size, count)


def check_processes(root: int, limits: Limits, in_memory: int) -> None:
    """See how many threads a process and its descendants have, and how much memory.

    Args:
        root: The process.
        limits: What they may use.
        in_memory: Bytes of their files in memory.

    Raises:
        LimitError: It is too much.
    """
    processes, threads, resident = [root], 0, in_memory
    for process in processes:
        threads += _threads(process)
        if threads > limits.processes:
            raise LimitError(f"started more than {limits.processes:,} processes and threads")
        resident += _resident(process)
        processes += _children(process)
    # Pages that several processes share were counted for each of them: only then it is worth looking closer.
    if resident > limits.memory and in_memory + sum(map(_proportional, processes)) > limits.memory:
        raise LimitError(f"used more than {in_units(limits.memory)} of memory")


def _threads(process: int) -> int:
    try:
        return len(os.listdir(f"/proc/{process}/task"))
    except OSError:
        return 0


def _children(process: int) -> list[int]:
    found: list[int] = []
    for path in Path(f"/proc/{process}/task").glob("*/children"):
        try:
            found += map(int, path.read_text().split())
        except OSError:
            continue
    return found


def _resident(process: int) -> int:
    try:
        return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * PAGE
    except (OSError, IndexError):
        return 0


def _proportional(process: int) -> int:
    """Bytes of memory, pages that are shared divided among those that share them."""
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
        return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
    except (OSError, IndexError):
        return _resident(process)


def in_units(size: float) -> str:
    """A number of bytes for people, as in "2 GiB"."""
    for unit in ("bytes", "KiB", "MiB"):
        if size < 1024:
            return f"{size:.3g} {unit}"
        size /= 1024
    return f"{size:.4g} GiB"
