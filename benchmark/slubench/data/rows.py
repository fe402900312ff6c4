"""Reads the rows of a split as utterances, and collects unusable rows."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from slubench.data.row_files import RowFile, open_parquet, values
from slubench.data.source import SplitFiles
from slubench.domain.corpus import Row
from slubench.domain.utterance import Clip, Utterance
from slubench.errors import DataError

__all__ = [
    "Joined",
    "Rejected",
    "Rows",
    "joined_tables",
    "one_each",
    "open_parquet",
    "read_file",
    "read_rows",
]

Joined: TypeAlias = Mapping[str, Mapping[str, Row]]
"""The rows of each joined table by key, by the name of the join."""


@dataclass(frozen=True)
class Rejected:
    """An unusable row.

    Attributes:
        place: Corpus, language and split.
        utterance: Its id.
        row: Its number in its file.
        file: The file's name.
        reason: What is wrong with it.
    """

    place: str
    utterance: str
    row: int
    file: str
    reason: str

    def __str__(self) -> str:
        return f"{self.place}, id {self.utterance} ({self.file}, row {self.row}): {self.reason}"


@dataclass(frozen=True)
class Rows:
    """The utterances and unusable rows of a split.

    Attributes:
        utterances: The rows that are as they should be, in order.
        rejected: The others.
    """

    utterances: tuple[Utterance, ...]
    rejected: tuple[Rejected, ...]


def read_rows(shards: SplitFiles) -> Rows:
    """Read a split without its recordings.

    Raises:
        DataError: A file is not whole, lacks a column, or a column holds something else.
    """
    utterances: list[Utterance] = []
    rejected: list[Rejected] = []
    seen: set[str] = set()
    joined = joined_tables(shards)
    for path in shards.files:
        for each in read_file(shards, path, joined, seen):
            if isinstance(each, Utterance):
                utterances.append(each)
            else:
                rejected.append(each)
    kept = one_each(utterances, "") if shards.sentences else utterances
    kept = kept[: shards.limit] if shards.limit else kept
    return Rows(tuple(kept), tuple(rejected))


def read_file(
    shards: SplitFiles, path: Path, joined: Joined, seen: set[str]
) -> Iterator[Utterance | Rejected]:
    """Read one file of a split.

    Args:
        shards: Whose file.
        path: The file.
        joined: From `joined_tables`.
        seen: Keys read so far; those of this file are added.

    Raises:
        DataError: The file is not whole, lacks a column, or a column holds something else.
    """
    layout = shards.form
    table = RowFile(path, layout, shards.corpus.audio)
    spoken = table.spoken
    parts = layout.splits.get(shards.split, (shards.split,))
    for number, row in table.rows():
        if isinstance(row, DataError):
            yield Rejected(str(shards), "?", number, path.name, str(row))
            continue
        if layout.partition and row[layout.partition] not in parts:
            continue
        if layout.divide is not None and layout.divide(row) != shards.split:
            continue
        identity = str(row.get("id"))
        try:
            for join in layout.joins:
                row[join.name] = joined.get(join.name, {}).get(join.on(row))
            for one, clip in _recordings(shards, row, Clip(str(path), number) if spoken else None):
                utterance = layout.read(one, shards.language, clip)
                if utterance.key in seen:
                    raise DataError(f"duplicate id in the split ({utterance.key})")
                seen.add(utterance.key)
                yield utterance
        except DataError as error:
            yield Rejected(str(shards), identity, number, path.name, str(error))


def joined_tables(shards: SplitFiles) -> dict[str, dict[str, Row]]:
    """The tables joined to a split's rows, each by its key.

    Raises:
        DataError: A file of them is not whole.
    """
    found = dict(shards.joined)
    return {
        join.name: {
            key: row for path in found[join.name] for value in values(path) for key, row in join.keyed(value)
        }
        for join in shards.form.joins
        if join.name in found
    }


def one_each(utterances: Iterable[Utterance], seed: object) -> list[Utterance]:
    """One recording of each sentence, in order, chosen by SHA-256 of seed, sentence and recording."""
    drawn: dict[str, tuple[bytes, Utterance]] = {}
    for utterance in utterances:
        digest = hashlib.sha256(f"{seed}:{utterance.id}:{utterance.recording}".encode()).digest()
        if utterance.id not in drawn or digest < drawn[utterance.id][0]:
            drawn[utterance.id] = digest, utterance
    return [utterance for _, utterance in drawn.values()]


def _recordings(
    shards: SplitFiles, row: dict[str, Any], clip: Clip | None
) -> Iterator[tuple[Row, Clip | None]]:
    of = shards.form.recordings
    found = list(of(row)) if of else []
    if not found:
        yield row, clip
    for one, files in found:
        places = [shards.root / file for file in files]
        yield one, Clip(str(next((place for place in places if place.exists()), places[0])))
