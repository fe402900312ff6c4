"""A corpus: the formats of its files, where to find them, and how to read a row."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from slubench.domain.utterance import Clip, Utterance

Row: TypeAlias = Mapping[str, Any]

# What a column may hold; `any` where nothing is asked of it.
STRING, INTEGER, BOOLEAN, LIST, STRUCT, ANY = "string", "integer", "boolean", "list", "struct", "any"


@dataclass(frozen=True)
class HubRepo:
    """A dataset repository on the Hub.

    Attributes:
        repository: As in `FBK-MT/Speech-MASSIVE`.
        revision: A commit or branch, or None where none is pinned; what was resolved is recorded with
            the run.
        gated: Whether its terms must be accepted on the Hub first.
        on_hub: False for a folder that only a mirror holds.
    """

    repository: str
    revision: str | None = None
    gated: bool = False
    on_hub: bool = True


@dataclass(frozen=True)
class Download:
    """A file on the web outside the Hub.

    Attributes:
        url: Where.
        path: Where it belongs below the mirror's root; for an archive the folder it is unpacked into.
        splits: The splits it is needed for; empty for all.
        archive: Whether it is a tar archive that is unpacked.
    """

    url: str
    path: str
    splits: tuple[str, ...] = ()
    archive: bool = False


@dataclass(frozen=True, kw_only=True)
class Join:
    """A table beside a corpus's files, joined to the corpus's rows.

    Attributes:
        name: Under this name a row's partner stands in the row; None where it has no partner.
        files: Patterns below the mirror's root with `{split}` and `{locale}`; the first that matches counts.
        keyed: Gives the rows with their keys from a row of the table (a JSON file is one row).
        on: Gives the key of a corpus's row.
        needed: Whether the corpus cannot be read without.
        remedy: How to get it.
    """

    name: str
    files: tuple[str, ...]
    keyed: Callable[[Any], Iterable[tuple[str, Row]]]
    on: Callable[[Row], str]
    needed: bool = True
    remedy: str = ""


@dataclass(frozen=True, kw_only=True)
class Layout:
    """A format of a corpus's files: Parquet, JSON lines (`.jsonl`, `.jsonl.gz`), CSV or TSV.

    Attributes:
        name: For messages, as in "the Hub's Parquet".
        files: Patterns of a split's files with `{locale}` and `{split}`, in `fnmatch` terms, below the
            split's repository, or below the mirror's root where there is none.
        columns: Columns that `read` needs, with what they hold; the audio's apart.
        read: Turns a row, its language and its clip into an `Utterance`, or raises a `DataError` that
            says what is wrong with the row.
        places: The repository that holds each split; `*` stands for the splits not named.
        optional: Columns that `read` takes where they are, with what they hold.
        names: Other names that a column may bear in the files, the likeliest first.
        splits: Names that a split may bear in the files, where they are not its own.
        partition: Column that names the split, where one file holds all; empty elsewhere.
        divide: Gives the split of a row, where a corpus has no splits of its own.
        class_names: Whether integer labels are read by their names in the Parquet file's own features.
        spoken: Whether its rows bear audio.
        recordings: Gives, of a row of text, a row for each of its recordings and the recording's file,
            in the order in which places are tried, below the mirror's root.
        folders: Folders below the mirror's root of which one must be there for its recordings.
        clip_names: Whether `read` needs the file name inside the audio column, at `row["audio"]["path"]`.
        joins: Tables laid beside its rows.
        downloads: What lies on the web and not on the Hub.
        assumed: Whether names of files and columns are likely, but were never seen; messages say so.
        root: The folder that patterns and recordings are below, for a corpus that lies in one place of this
            machine; empty for the mirror's root. The mini edition has no such corpora.
    """

    name: str
    files: tuple[str, ...]
    columns: Mapping[str, str]
    read: Callable[[Row, str, Clip | None], Utterance]
    places: Mapping[str, HubRepo] = field(default_factory=dict)
    optional: Mapping[str, str] = field(default_factory=dict)
    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    splits: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    partition: str = ""
    divide: Callable[[Row], str] | None = None
    class_names: bool = False
    spoken: bool = True
    recordings: Callable[[Row], Iterable[tuple[Row, tuple[str, ...]]]] | None = None
    folders: tuple[str, ...] = ()
    clip_names: bool = False
    joins: tuple[Join, ...] = ()
    downloads: tuple[Download, ...] = ()
    assumed: bool = False
    root: str = ""

    def place(self, split: str) -> HubRepo | None:
        """The repository that holds `split`, or None for files below the mirror's root."""
        return self.places.get(split, self.places.get("*"))

    def patterns(self, locale: str, split: str) -> tuple[str, ...]:
        """The patterns of a split's files, in the order of trying."""
        names = self.splits.get(split, (split,))
        return tuple(dict.fromkeys(p.format(locale=locale, split=name) for name in names for p in self.files))


@dataclass(frozen=True)
class Terms:
    """The terms of use of a corpus at one place.

    Attributes:
        licence: SPDX or the terms' own name.
        terms: What the terms ask, in a sentence.
        home_page: Where it is described.
    """

    licence: str
    terms: str
    home_page: str


@dataclass(frozen=True, kw_only=True)
class Corpus:
    """A dataset, wherever its files are and whatever their format.

    Attributes:
        name: As in `speech-massive`.
        locales: Language (ISO 639-1) to the name it bears in the files.
        layouts: The forms its files come in; the first that is found is read.
        audio: Name of the column of audio in Parquet files, a struct of `bytes` and `path`, or in another
            form of `slubench.data.audio_forms`.
        licence: SPDX or the terms' own name.
        terms: What the terms ask, in a sentence.
        home_page: Where it is described and its terms are found.
        sizes: Rows of each split as published, for what `slubench data` reports; a language's own under
            `language/split`.
    """

    name: str
    locales: Mapping[str, str]
    layouts: tuple[Layout, ...]
    audio: str = "audio"
    licence: str = ""
    terms: str = ""
    home_page: str = ""
    sizes: Mapping[str, int] = field(default_factory=dict)

    @property
    def repositories(self) -> tuple[str, ...]:
        """The Hub repositories that contain it."""
        places = [place for layout in self.layouts for place in layout.places.values() if place.on_hub]
        return tuple(dict.fromkeys(place.repository for place in places))

    def published(self, language: str, split: str) -> int | None:
        """The published number of rows of a split, if known."""
        return self.sizes.get(f"{language}/{split}", self.sizes.get(split))
