"""Publishing is one act: files are staged, listed in a journal, and only then moved to their places.

A process that is killed before the journal is there has published nothing, and what it staged is removed by
the next. One that is killed later has published in part, and the next completes it: all that is left to do
is to move files that lie ready on the same file system.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from slubench._checkout import is_checkout
from slubench.errors import DataError, UsageError
from slubench.runtime.files import replacing
from slubench.runtime.home import Home
from slubench.runtime.locks import locked

STAGING: Final = ".publishing"
JOURNAL: Final = "journal.json"
PLACES: Final = (
    "leaderboard/published",
    "leaderboard/published/sums",
    "leaderboard/published/replicates",
    "leaderboard/published/records",
    "adapters_registry/published",
    "strategies",
)
"""The folders of a checkout that are published into, and no other."""


@dataclass
class Publication:
    """What is about to be published.

    Attributes:
        root: The checkout.
        targets: The files in their order, by the names under which they are staged.
    """

    root: Path
    targets: dict[str, Path] = field(default_factory=dict)

    def stage(self, target: Path) -> Path:
        """Where to write a file that will take its place at `target`.

        Raises:
            DataError: That is in none of the folders that are published into.
        """
        check_place(self.root, target)
        name = str(len(self.targets))
        self.targets[name] = target
        return self.root / STAGING / name


def check_target(home: Home) -> None:
    """Check that results can be published in HOME.

    Raises:
        UsageError: It is no checkout.
    """
    if not is_checkout(home.root):
        raise UsageError(f"{home.root} is not a checkout of slubench; results are published in a checkout.")


def check_place(root: Path, target: Path) -> None:
    """See that a file lies in a folder that is published into, links resolved.

    Raises:
        DataError: It does not.
    """
    folder = target.parent.resolve()
    plain = (
        target.name not in ("", ".", "..") and not target.name.startswith(".") and target.name.isprintable()
    )
    if not plain or target.is_symlink() or folder not in {root.resolve() / place for place in PLACES}:
        raise DataError(f"{target} is no place to publish to; published files lie in {', '.join(PLACES)}.")


@contextmanager
def publishing(home: Home, say: Callable[[str], None]) -> Iterator[Publication]:
    """Publish whole or not at all what is staged in the block.

    Args:
        home: A checkout.
        say: Told who publishes already, and what is completed.

    Raises:
        DataError: It can't be written; nothing is published then.
    """
    with locked(home.locks / "publish", "publishing", say):
        _complete(home.root, say)
        folder = home.root / STAGING
        try:
            folder.mkdir()
            publication = Publication(home.root)
            yield publication
            _commit(publication)
        except OSError as error:
            remedy = "Run it again to complete it" if (folder / JOURNAL).exists() else "Nothing is published"
            raise DataError(f"Publishing in {home.root} failed ({error}). {remedy}.") from error
        finally:
            if not (folder / JOURNAL).exists():
                shutil.rmtree(folder, ignore_errors=True)


def complete_published(home: Home, say: Callable[[str], None]) -> None:
    """Complete a publication that was interrupted, or take away what it staged; without one, do nothing."""
    if (home.root / STAGING).is_dir():
        with locked(home.locks / "publish", "publishing", say):
            _complete(home.root, say)


def _commit(publication: Publication) -> None:
    """Make all lie ready, then move it."""
    root, folder = publication.root, publication.root / STAGING
    if not publication.targets:
        return
    for name, target in publication.targets.items():
        target.parent.mkdir(parents=True, exist_ok=True)
        check_place(root, target)
        if target.parent.stat().st_dev != folder.stat().st_dev:
            raise OSError(f"{target.parent} is on another file system than {root}")
        if not os.access(target.parent, os.W_OK | os.X_OK) or target.is_dir():
            raise OSError(f"{target} can't be written")
        with (folder / name).open("rb") as file:
            os.fsync(file.fileno())
    listed = [[name, str(target.relative_to(root))] for name, target in publication.targets.items()]
    _synced(folder)
    with replacing(folder / JOURNAL) as temporary:
        temporary.write_text(json.dumps(listed), "utf-8")
    _synced(folder)
    _move(root)


def _complete(root: Path, say: Callable[[str], None]) -> None:
    folder = root / STAGING
    if (folder / JOURNAL).exists():
        count = _move(root)
        say(f"completed a publication of {count} files that was interrupted")
    elif folder.exists():
        shutil.rmtree(folder)


def _move(root: Path) -> int:
    """Move what the journal lists and is not moved yet."""
    folder = root / STAGING
    try:
        listed = json.loads((folder / JOURNAL).read_text("utf-8"))
        moves = [(folder / Path(name).name, root / target) for name, target in listed]
    except (ValueError, TypeError) as error:
        raise DataError(
            f"{folder / JOURNAL} can't be read ({error}). Delete {folder}, and publish again."
        ) from None
    for staged, target in moves:
        check_place(root, target)
        if staged.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            staged.replace(target)
    for place in {target.parent for _, target in moves}:
        _synced(place)
    shutil.rmtree(folder)
    return len(moves)


def _synced(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
