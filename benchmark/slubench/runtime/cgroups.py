"""Control groups, where this process may make them: hard limits of memory and processes for a sandbox.

Without them a sandbox is looked at a few times a second, which holds as well but lets a little more happen
in between.
"""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from slubench.runtime.limits import Limits
from slubench.runtime.memory import MOUNT

SLACK = 64
"""Processes beyond the limit, so that what goes beyond is seen and told rather than made to wait."""


@dataclass(frozen=True)
class ControlGroups:
    """The groups that hold a sandbox, one of version 2 or several of version 1; none where none may be made.

    Attributes:
        folders: Theirs.
    """

    folders: tuple[Path, ...]

    def add(self, process: int) -> None:
        """Take a process in; what it starts from here on is in them too."""
        for folder in self.folders:
            with suppress(OSError):
                (folder / "cgroup.procs").write_text(str(process))

    def ran_out_of_memory(self) -> bool:
        """Whether the kernel ended a process of theirs for want of memory."""
        for folder in self.folders:
            for name in ("memory.events", "memory.oom_control"):
                with suppress(OSError):
                    for line in (folder / name).read_text().splitlines():
                        if line.startswith("oom_kill ") and line.split()[1] != "0":
                            return True
        return False


@contextmanager
def control_groups(limits: Limits) -> Iterator[ControlGroups]:
    """Groups with limits, removed at the end."""
    settings = {
        "memory.max": limits.memory + limits.memory // 10,
        "memory.swap.max": 0,
        "memory.limit_in_bytes": limits.memory + limits.memory // 10,
        "pids.max": limits.processes + SLACK,
    }
    name = f"slubench-{uuid.uuid4().hex[:12]}"
    made: list[Path] = []
    try:
        for parent in _parents():
            folder = parent / name
            with suppress(OSError):
                folder.mkdir()
                made.append(folder)
                for setting, value in settings.items():
                    if (folder / setting).exists():
                        (folder / setting).write_text(str(value))
        yield ControlGroups(tuple(made))
    finally:
        for folder in made:
            _remove(folder)


def _parents() -> Iterator[Path]:
    """Below which folders groups can be made that limit memory or processes."""
    with suppress(OSError):
        for line in Path("/proc/self/cgroup").read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            own = path.strip("/")
            if controllers in ("memory", "pids"):
                yield MOUNT / controllers / own
            elif not controllers and (MOUNT / "cgroup.controllers").exists():
                # A group that holds processes has no groups with limits below it: beside it then.
                for parent in (MOUNT / own, (MOUNT / own).parent):
                    if parent.is_relative_to(MOUNT) and "memory" in _controlled(parent):
                        yield parent
                        break


def _controlled(folder: Path) -> str:
    with suppress(OSError):
        if os.access(folder, os.W_OK):
            return (folder / "cgroup.subtree_control").read_text()
    return ""


def _remove(folder: Path) -> None:
    for _ in range(100):
        try:
            folder.rmdir()
            return
        except FileNotFoundError:
            return
        except OSError:
            # Its last processes have ended and are being put away.
            time.sleep(0.02)
