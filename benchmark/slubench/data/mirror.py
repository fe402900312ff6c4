"""Finds the files of a split in a mirror, and checks that none is missing."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from slubench.domain.corpus import Corpus, Layout
from slubench.errors import DataError

SHARD = re.compile(r"-(\d+)-of-(\d+)\.parquet$")


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


def check_complete(files: tuple[Path, ...]) -> None:
    """Refuse an incomplete set of numbered files.

    Raises:
        DataError: Names a shard that is missing.
    """
    numbers = [match for file in files if (match := SHARD.search(file.name))]
    totals = {int(match.group(2)) for match in numbers}
    found = {int(match.group(1)) for match in numbers}
    if len(totals) == 1 and (missing := set(range(totals.pop())) - found):
        raise DataError(
            f"{files[0].parent}: shard {min(missing)} of {files[0].name.rsplit('-of-')[-1]} is missing"
            f" (found {len(found)}). Download it again."
        )
