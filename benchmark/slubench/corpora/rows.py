"""Reads the rows of a split as utterances, and names each row that is not as it should be."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from slubench.corpora.source import Shards
from slubench.errors import DataError
from slubench.utterance import Clip, Utterance

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq


@dataclass(frozen=True)
class Rejected:
    """A row that cannot be used.

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
    """What a split holds.

    Attributes:
        utterances: The rows that are as they should be, in order.
        rejected: The others.
    """

    utterances: tuple[Utterance, ...]
    rejected: tuple[Rejected, ...]


def read_rows(shards: Shards) -> Rows:
    """Read a split without its recordings.

    Raises:
        DataError: A file is not whole, or lacks a column.
    """
    utterances: list[Utterance] = []
    rejected: list[Rejected] = []
    seen: set[str] = set()
    for path in shards.files:
        file = open_parquet(path)
        names = _columns(file, shards, path)
        spoken = shards.corpus.audio in file.schema_arrow.names
        for number, row in enumerate(_rows(file, path, names)):
            clip = Clip(str(path), number) if spoken else None
            try:
                utterance = shards.corpus.read(row, shards.language, clip)
                if utterance.key in seen:
                    raise DataError("the id occurs twice in the split")
                seen.add(utterance.key)
                utterances.append(utterance)
            except DataError as error:
                identity = str(row.get("id"))
                rejected.append(Rejected(str(shards), identity, number, path.name, str(error)))
    return Rows(tuple(utterances), tuple(rejected))


def open_parquet(path: Path) -> pq.ParquetFile:
    """Open a Parquet file.

    Raises:
        DataError: It is truncated or no Parquet file.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return pq.ParquetFile(path)
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{path} is not a whole Parquet file ({error}). Fetch it again.") from None


def _columns(file: pq.ParquetFile, shards: Shards, path: Path) -> list[str]:
    there = set(file.schema_arrow.names)
    missing = [name for name in shards.corpus.columns if name not in there]
    if missing:
        raise DataError(
            f"{path} lacks the column {', '.join(missing)}; {shards.corpus.name} is read from the columns"
            f" {', '.join(shards.corpus.columns)}. It holds: {', '.join(sorted(there))}."
        )
    return [*shards.corpus.columns, *(name for name in shards.corpus.optional if name in there)]


def _rows(file: pq.ParquetFile, path: Path, names: list[str]) -> Iterator[dict[str, object]]:
    import pyarrow as pa

    try:
        batch: pa.RecordBatch
        for batch in file.iter_batches(columns=names):
            yield from batch.to_pylist()
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{path} cannot be read to its end ({error}). Fetch it again.") from None
