"""Finds the files of a split in a mirror, and checks that none is missing."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from slubench.domain.corpus import Corpus, Layout
from slubench.errors import DataError

SHARD = re.compile(r"(?P<stem>.*?)-?(?P<number>\d+)-of-(?P<total>\d+)(?:-[0-9a-f]{6,})?(?P<end>\.[a-z.]+)")
"""A numbered file: `train-00000-of-00002.parquet`, with a digest of its content behind it or without."""
NUMBERED = re.compile(r"(?P<number>\d+)(?P<end>\.parquet)")
"""One of the Hub's converted files, which do not tell how many they are: `0000.parquet`."""


def mirrored(
    mirror: Path | None, corpus: Corpus, layout: Layout, language: str, split: str
) -> tuple[Path, ...]:
    """The files of a split in a mirror, in one format."""
    if mirror is not None and layout.folders and not any((mirror / f).is_dir() for f in layout.folders):
        return ()
    place = layout.place(split)
    folder = mirror / place.repository if mirror is not None and place is not None else mirror
    return first_match(folder, layout.patterns(corpus.locales[language], split))


def first_match(folder: Path | None, patterns: Iterable[str]) -> tuple[Path, ...]:
    """The files of the first matching pattern, in order."""
    for pattern in patterns if folder is not None else ():
        assert folder is not None
        if files := tuple(sorted(folder.glob(pattern))):
            return files
    return ()


def shards_beside(path: Path) -> tuple[Path, ...]:
    """A file with the other shards of the same split in its folder, in order; alone where it is none.

    Raises:
        DataError: A shard is missing.
    """
    match = SHARD.fullmatch(path.name)
    # `seed-1-of-5.jsonl` is a file of its own.
    if match is None or len(match["total"]) < 5:
        return (path,)
    same = ("stem", "total", "end")
    found = tuple(
        other
        for other in sorted(path.parent.iterdir())
        if (one := SHARD.fullmatch(other.name)) and one.group(*same) == match.group(*same)
    ) or (path,)
    check_complete(found)
    return found


def check_complete(files: tuple[Path, ...]) -> None:
    """Refuse an incomplete set of numbered files.

    Raises:
        DataError: Names a shard that is missing, one that is there twice, or files of two downloads.
    """
    sets: dict[tuple[Path, str, str], dict[int, list[tuple[int, Path]]]] = {}
    counted: dict[Path, list[int]] = {}
    for file in files:
        if match := SHARD.fullmatch(file.name):
            shards = sets.setdefault((file.parent, match["stem"], match["end"]), {})
            shards.setdefault(int(match["total"]), []).append((int(match["number"]), file))
        elif match := NUMBERED.fullmatch(file.name):
            counted.setdefault(file.parent, []).append(int(match["number"]))
    for (folder, _, _), by_total in sets.items():
        if len(by_total) > 1:
            names = " and ".join(by_total[total][0][1].name for total in sorted(by_total))
            raise DataError(
                f"{folder}: {names} are from different downloads. Delete the files of one of them."
            )
        ((total, listed),) = by_total.items()
        _check_numbers(folder, [number for number, _ in listed], total, listed[0][1].name)
    for folder, numbers in counted.items():
        _check_numbers(folder, numbers, max(numbers) + 1, "")


def _check_numbers(folder: Path, numbers: list[int], total: int, name: str) -> None:
    found = set(numbers)
    # Some count from 1.
    missing = set(range(total)) - found if found != set(range(1, total + 1)) else set()
    if missing:
        of = f" of {name.rsplit('-of-')[-1]}" if name else ""
        raise DataError(
            f"{folder}: shard {min(missing)}{of} is missing (found {len(found)}). Download it again."
        )
    if len(found) < len(numbers):
        twice = next(number for number in sorted(found) if numbers.count(number) > 1)
        raise DataError(f"{folder}: shard {twice} exists twice ({name}). Delete the older file.")
