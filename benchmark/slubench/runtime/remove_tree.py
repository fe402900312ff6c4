"""Removes a folder whatever a stranger's code left in it: however deep its folders, whatever their rights."""

from __future__ import annotations

import os
from pathlib import Path

FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW


def remove_tree(folder: Path) -> None:
    """Remove a folder and all that is in it; nothing happens where it is not there.

    One folder is open at a time and paths are of one name, so that no depth is too deep. No link is followed.
    """
    if folder.is_symlink() or not folder.exists():
        folder.unlink(missing_ok=True)
        return
    folder.chmod(0o700)
    here = os.open(folder, FOLDER)
    try:
        way: list[str] = []
        left = [_folders_left(here)]
        while way or left[-1]:
            if left[-1]:
                way.append(left[-1].pop())
                os.chmod(way[-1], 0o700, dir_fd=here)
                here = _moved(here, way[-1])
                left.append(_folders_left(here))
            else:
                left.pop()
                here = _moved(here, "..")
                os.rmdir(way.pop(), dir_fd=here)
    finally:
        os.close(here)
    folder.rmdir()


def _folders_left(folder: int) -> list[str]:
    """Remove what is no folder; the names of those that are."""
    with os.scandir(folder) as entries:
        found = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries]
    for name, is_folder in found:
        if not is_folder:
            os.unlink(name, dir_fd=folder)
    return [name for name, is_folder in found if is_folder]


def _moved(here: int, name: str) -> int:
    there = os.open(name, FOLDER, dir_fd=here)
    os.close(here)
    return there
