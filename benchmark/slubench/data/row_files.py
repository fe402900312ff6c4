"""Reads rows of Parquet files and of JSON lines, plain or gzipped."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from slubench.data.columns import check_columns, check_values, renamed
from slubench.data.csv_files import cells_of
from slubench.domain.corpus import STRING, Layout
from slubench.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq


@dataclass(frozen=True)
class RowFile:
    """A file of rows.

    Attributes:
        path: The file.
        layout: The form it comes in.
        audio: Name of the column of audio.
    """

    path: Path
    layout: Layout
    audio: str = "audio"

    def rows(self) -> Iterator[tuple[int, dict[str, Any] | DataError]]:
        """The rows with their numbers, with columns named as `read` expects; or the error of a row.

        Raises:
            DataError: The file is not whole, lacks a column, or a column holds something else.
        """
        if self.path.suffix == ".parquet":
            yield from self._parquet()
        elif self.path.name.removesuffix(".gz").endswith((".csv", ".tsv")):
            yield from self._cells()
        else:
            yield from self._lines()

    @property
    def spoken(self) -> bool:
        """Whether the file's rows contain audio."""
        if not self.layout.spoken or self.path.suffix != ".parquet":
            return False
        return self.audio in open_parquet(self.path).schema_arrow.names

    def _parquet(self) -> Iterator[tuple[int, dict[str, Any] | DataError]]:
        file = open_parquet(self.path)
        held = {field.name: kind_of(field.type) for field in file.schema_arrow}
        names = renamed(self.layout, held)
        check_columns(self.path, self.layout, names, held)
        wanted = list(names.values())
        labels = class_names(file, names) if self.layout.class_names else {}
        paths = held.get(self.audio) == STRING
        if self.layout.clip_names and self.audio in held:
            wanted.append(self.audio if paths else f"{self.audio}.path")
        for number, row in enumerate(parquet_rows(file, self.path, wanted)):
            read = {name: row[theirs] for name, theirs in names.items()}
            for name, classes in labels.items():
                if isinstance(read[name], int) and 0 <= read[name] < len(classes):
                    read[name] = classes[read[name]]
            if self.layout.clip_names:
                read["audio"] = {"path": row.get(self.audio)} if paths else row.get(self.audio)
            yield number, read

    def _cells(self) -> Iterator[tuple[int, dict[str, Any] | DataError]]:
        for number, (_, cells) in enumerate(cells_of(self.path)):
            names = renamed(self.layout, cells)
            if lacking := [name for name in self.layout.columns if name not in names]:
                yield number, DataError(f"lacks the column {', '.join(lacking)}; it has: {', '.join(cells)}")
                continue
            yield number, {name: cells[theirs] or None for name, theirs in names.items()}

    def _lines(self) -> Iterator[tuple[int, dict[str, Any] | DataError]]:
        for number, line in json_lines(self.path):
            if isinstance(line, DataError):
                yield number, line
                continue
            names = renamed(self.layout, line)
            try:
                check_values(self.layout, names, line)
            except DataError as error:
                yield number, error
                continue
            yield number, {name: line[theirs] for name, theirs in names.items()}


def class_names(file: pq.ParquetFile, names: Mapping[str, str]) -> dict[str, list[str]]:
    """The names of integer labels, as the datasets library writes them into a file's metadata.

    Args:
        file: The file.
        names: Columns of the file by the names that `read` uses.
    """
    told = (file.schema_arrow.metadata or {}).get(b"huggingface")
    try:
        features = json.loads(told)["info"]["features"] if told else {}
        found = {name: features[theirs] for name, theirs in names.items() if theirs in features}
        return {
            name: [str(one) for one in feature["names"]]
            for name, feature in found.items()
            if isinstance(feature, dict) and feature.get("_type") == "ClassLabel"
        }
    except (ValueError, KeyError, TypeError):
        return {}


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
        raise DataError(f"{path} is not a complete Parquet file ({error}). Download it again.") from None


def parquet_rows(file: pq.ParquetFile, path: Path, names: Sequence[str]) -> Iterator[dict[str, Any]]:
    """The rows of some columns.

    Raises:
        DataError: The file cannot be read to its end.
    """
    import pyarrow as pa

    try:
        batch: pa.RecordBatch
        for batch in file.iter_batches(columns=list(names)):
            yield from batch.to_pylist()
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{path} cannot be read completely ({error}). Download it again.") from None


def json_lines(path: Path) -> Iterator[tuple[int, dict[str, Any] | DataError]]:
    """The objects of a UTF-8 file of JSON lines, with their numbers from 0; or the error of a line.

    Raises:
        DataError: The file cannot be read to its end.
    """
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            for number, line in enumerate(file):
                if line.strip():
                    yield number, _object(line, first=number == 0)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path} cannot be read completely ({error}). Download it again.") from None


def _object(line: bytes, *, first: bool) -> dict[str, Any] | DataError:
    try:
        row = json.loads(line.decode("utf-8-sig" if first else "utf-8"))
    except UnicodeDecodeError:
        return DataError("not UTF-8")
    except (ValueError, RecursionError) as error:
        return DataError(f"not JSON ({error})")
    return (
        row if isinstance(row, dict) else DataError(f"expected a JSON object, found a {type(row).__name__}")
    )


def values(path: Path) -> Iterator[Mapping[str, Any]]:
    """The unchanged rows of a joined table: Parquet, JSON lines, or one JSON object.

    Raises:
        DataError: The file is not whole, or a line of it is broken.
    """
    if path.suffix == ".parquet":
        file = open_parquet(path)
        yield from parquet_rows(file, path, file.schema_arrow.names)
    elif path.suffix == ".json":
        try:
            yield json.loads(path.read_text("utf-8"))
        except ValueError as error:
            raise DataError(f"{path} is not a complete JSON file ({error}). Download it again.") from None
    else:
        for number, row in json_lines(path):
            if isinstance(row, DataError):
                raise DataError(f"{path}, line {number + 1}: {row}. Download it again.")
            yield row


def kind_of(kind: pa.DataType) -> str:
    """The type of an Arrow column, in the terms of `slubench.domain.corpus`."""
    import pyarrow as pa

    tests = {
        "string": (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view),
        "integer": (pa.types.is_integer,),
        "boolean": (pa.types.is_boolean,),
        "list": (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list),
        "struct": (pa.types.is_struct,),
    }
    if pa.types.is_dictionary(kind):
        return kind_of(kind.value_type)
    return next((name for name, all_ in tests.items() if any(test(kind) for test in all_)), str(kind))
