"""Whether there is room on disk for what is going to be written."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from slubench.errors import MissingError

SLACK = 2**30
"""Bytes of disk that are to stay free, for logs, predictions and decoded clips."""


class DiskNeed(NamedTuple):
    """Disk space that is going to be used.

    Attributes:
        what: What for.
        folder: Where.
        size: Bytes.
    """

    what: str
    folder: Path
    size: int


def check_disk(needs: Iterable[DiskNeed]) -> None:
    """Refuse to begin where a disk is too small.

    Raises:
        MissingError: Names what is needed, where and for what.
    """
    by_disk: dict[int, list[DiskNeed]] = {}
    for need in needs:
        if need.size:
            by_disk.setdefault(existing(need.folder).stat().st_dev, []).append(need)
    for together in by_disk.values():
        free = shutil.disk_usage(existing(together[0].folder)).free
        needed = sum(need.size for need in together)
        if needed + SLACK > free:
            parts = "; ".join(f"{need.what}: {_gb(need.size)} in {need.folder}" for need in together)
            raise MissingError(
                f"Not enough disk space: {_gb(needed + SLACK)} are needed, {_gb(free)} are free. {parts}."
                " Free some, or choose other folders with HF_HOME (what is downloaded) and --home (results)."
            )


def existing(folder: Path) -> Path:
    """The folder, or the next above it that exists."""
    folder = folder.absolute()
    return next(place for place in (folder, *folder.parents) if place.exists())


def _gb(size: int) -> str:
    return f"{size / 1e9:.1f} GB"
