"""A corpus: which files of which Hub repositories hold its rows, and how a row reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from slubench.utterance import Clip, Utterance


@dataclass(frozen=True)
class Place:
    """A dataset repository of the Hub.

    Attributes:
        repository: As in `FBK-MT/Speech-MASSIVE`.
        revision: A commit, or None where none is pinned; what was resolved is recorded with the run.
        gated: Whether its terms must be accepted on the Hub first.
    """

    repository: str
    revision: str | None = None
    gated: bool = False


@dataclass(frozen=True, kw_only=True)
class Corpus:
    """Rows of one kind from one place, in the Hub's Parquet layout.

    Attributes:
        name: As in `speech-massive`.
        places: The repository that holds each split; `*` stands for the splits not named.
        locales: Language (ISO 639-1) to the name it bears in the files' paths.
        files: Pattern of a split's files with `{locale}` and `{split}`, in `fnmatch` terms.
        columns: Columns that `read` needs, the audio's apart.
        optional: Columns that it takes where they are.
        audio: Name of the column of encoded audio (struct of `bytes` and `path`).
        read: Turns a row (column to value), its language and its clip into an `Utterance`, or raises
            a `DataError` that says what is wrong with the row.
        licence: SPDX or the terms' own name.
        home_page: Where it is described and its terms are found.
    """

    name: str
    places: Mapping[str, Place]
    locales: Mapping[str, str]
    files: str
    columns: tuple[str, ...]
    read: Callable[[Mapping[str, Any], str, Clip | None], Utterance]
    optional: tuple[str, ...] = ()
    audio: str = "audio"
    licence: str = ""
    home_page: str = ""

    def place(self, split: str) -> Place:
        """The repository that holds `split`."""
        return self.places.get(split, self.places["*"])
