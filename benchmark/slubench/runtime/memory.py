"""How much main memory this process may use: the machine's, less where control groups or SLURM allow less."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

MOUNT = Path("/sys/fs/cgroup")
PAGE = os.sysconf("SC_PAGE_SIZE")
OWN_GROUPS = Path("/proc/self/cgroup")


class MemoryLimit(NamedTuple):
    """A limit in bytes, and how much of it is used."""

    limit: int
    used: int


def usable_memory() -> int:
    """The most memory in bytes that this process could ever use."""
    return min(one.limit for one in limits())


def free_memory() -> int:
    """Free memory in bytes, within every limit."""
    return max(0, min(one.limit - one.used for one in limits()))


def limits(environment: Mapping[str, str] = os.environ) -> Iterator[MemoryLimit]:
    """Every limit on this process: of its control groups and those above them, and SLURM's.

    The machine's own memory is the first, so that there is always one.
    """
    whole = os.sysconf("SC_PHYS_PAGES") * PAGE
    yield MemoryLimit(whole, whole - _free_pages())
    for folder in _groups():
        if (limit := _of_group(folder)) is not None:
            yield limit
    if (granted := _slurm(environment)) is not None:
        yield MemoryLimit(granted, _resident())


def _free_pages() -> int:
    """What the kernel could give without swapping; caches of files count as free."""
    with suppress(OSError, ValueError, IndexError):
        for line in Path("/proc/meminfo").read_text("ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    return os.sysconf("SC_AVPHYS_PAGES") * PAGE


def _groups() -> Iterator[Path]:
    """The folders of this process's groups that count memory, and of those above them."""
    with suppress(OSError, ValueError):
        for line in OWN_GROUPS.read_text("utf-8").splitlines():
            _, controllers, path = line.split(":", 2)
            if controllers and "memory" not in controllers.split(","):
                continue
            root = MOUNT / "memory" if controllers else MOUNT
            folder = root / path.strip("/")
            while folder.is_relative_to(root):
                yield folder
                folder = folder.parent


def _of_group(folder: Path) -> MemoryLimit | None:
    for limit, usage, inactive in (
        ("memory.max", "memory.current", "inactive_file"),
        ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
    ):
        # `max` is no number: no limit.
        with suppress(OSError, ValueError):
            most = int((folder / limit).read_text("ascii"))
            return MemoryLimit(most, _used(folder, usage, inactive))
    return None


def _used(folder: Path, usage: str, inactive: str) -> int:
    """What a group uses, without cached files that the kernel would drop."""
    with suppress(OSError, ValueError):
        used = int((folder / usage).read_text("ascii"))
        with suppress(OSError, ValueError, IndexError):
            for line in (folder / "memory.stat").read_text("ascii").splitlines():
                if line.split()[0] == inactive:
                    used -= int(line.split()[1])
        return max(0, used)
    return 0


def _slurm(environment: Mapping[str, str]) -> int | None:
    """The memory of a SLURM job on this node; None outside of one, or where it has all of the node."""
    with suppress(ValueError):
        if node := int(environment.get("SLURM_MEM_PER_NODE", "0")):
            return node * 2**20
        each = int(environment.get("SLURM_MEM_PER_CPU", "0"))
        cores = int(environment.get("SLURM_CPUS_ON_NODE", "0"))
        return each * cores * 2**20 or None
    return None


def _resident() -> int:
    with suppress(OSError, ValueError, IndexError):
        return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * PAGE
    return 0
