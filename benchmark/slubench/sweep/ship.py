"""Carries what a unit needs to another machine, and its results home: whole or not at all."""

from __future__ import annotations

import hashlib
import io
import shutil
import tarfile
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Final

from slubench.errors import DataError
from slubench.registry.adapters import find_card
from slubench.registry.kinds import KINDS
from slubench.runtime.home import Home
from slubench.sweep.unit import Unit

OWN_STRATEGIES: Final = "own_strategies"
"""Strategies that were named by their file, under their digest."""


def pack(root: Path, paths: Iterable[Path]) -> bytes:
    """Files and folders under a root as an archive."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for path in sorted(set(paths)):
            tar.add(path, arcname=str(path.relative_to(root)))
    return buffer.getvalue()


def unpack(archive: bytes, folder: Path) -> set[str]:
    """Unpack what `pack` packed.

    Returns:
        The files' paths within the folder.

    Raises:
        DataError: The archive is not whole.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
            tar.extractall(folder, filter="data")
            return {one.name for one in tar.getmembers() if one.isfile()}
    except (tarfile.TarError, EOFError) as error:
        raise DataError(f"an archive that came from another machine is not whole ({error})") from None


def needs_of(unit: Unit) -> bytes:
    """What a unit needs of HOME: declarations of the user's own, and the adapters it predicts with."""
    home = Home(Path(unit.settings.home))
    paths = [path for kind in KINDS for path in sorted((home.root / kind.folder).glob("*.py"))]
    for fingerprint in unit.trained:
        if (card := find_card(home, fingerprint)) is not None:
            paths.append(home.adapters / f"{card.stem}.json")
            if (folder := card.folder(home)) is not None:
                paths.append(folder)
    return pack(home.root, paths)


def strategies_of(unit: Unit) -> dict[str, bytes]:
    """The strategies of a unit that are files, by name."""
    return {cell.strategy: Path(cell.strategy).read_bytes() for cell in unit.cells if _is_file(cell.strategy)}


def _is_file(strategy: str) -> bool:
    return strategy.endswith(".py")


def settle(unit: Unit, home: Path, needs: bytes, strategies: dict[str, bytes]) -> tuple[Unit, set[str]]:
    """Unpack what a unit needs on another machine.

    Args:
        unit: The unit as the sweep made it.
        home: Its HOME there.
        needs: From `needs_of`.
        strategies: From `strategies_of`.

    Returns:
        The unit as it is done there, and the files that were brought, as paths within HOME.
    """
    # Not all that is there: a unit that is tried again has results of its own in its HOME.
    brought = unpack(needs, home)
    placed = {}
    for name, content in strategies.items():
        path = home / OWN_STRATEGIES / hashlib.sha256(content).hexdigest()[:16] / Path(name).name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        placed[name] = str(path)
        brought.add(str(path.relative_to(home)))
    cells = tuple(replace(cell, strategy=placed.get(cell.strategy, cell.strategy)) for cell in unit.cells)
    return replace(unit, cells=cells, settings=replace(unit.settings, home=str(home))), brought


def results_of(home: Path, brought: set[str]) -> bytes:
    """What a unit has made in its HOME, apart from checkpoints, caches, scores and unfinished files."""
    made = (
        path
        for folder in ("runs", "adapters_registry")
        for path in _files(home / folder)
        if str(path.relative_to(home)) not in brought
        and not {"checkpoints"} & set(path.relative_to(home).parts)
        and not any(part.startswith(".") for part in path.relative_to(home).parts)
    )
    return pack(home, made)


def _files(folder: Path) -> Iterator[Path]:
    """The files under a folder, those behind links left out."""
    for path in sorted(folder.glob("*")):
        if path.is_symlink():
            continue
        if path.is_dir():
            yield from _files(path)
        elif path.is_file():
            yield path


def take_home(archive: bytes, home: Home, from_home: str) -> None:
    """Put the results of a unit into HOME: all files first, then those that say that something is done.

    Args:
        archive: From `results_of`.
        home: HOME.
        from_home: Path of the unit's HOME, which its jobs name.

    Raises:
        DataError: The archive is not whole; nothing is put into HOME.
    """
    arrived = home.root / "cache" / "sweeps" / f"arrived-{uuid.uuid4().hex[:8]}"
    try:
        unpack(archive, arrived)
        for path in sorted(_files(arrived), key=lambda path: _when(path.relative_to(arrived))):
            if path.name in ("train.json", "answer.json"):
                path.write_text(path.read_text("utf-8").replace(from_home, str(home.root)), "utf-8")
            place = home.root / path.relative_to(arrived)
            place.parent.mkdir(parents=True, exist_ok=True)
            path.replace(place)
    finally:
        shutil.rmtree(arrived, ignore_errors=True)


def _when(path: PurePosixPath | Path) -> tuple[int, str]:
    """Replies are done when their report is there, an adapter when its card is."""
    done = path.name == "report.json" or (path.parts[0] == "adapters_registry" and len(path.parts) == 2)
    return int(done), str(path)
