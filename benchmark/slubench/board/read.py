"""Reads score files, refuses the ones that are not as `slubench.tables.SCORES` says, drops duplicates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from slubench.errors import DataError
from slubench.run import SCHEMA_VERSION
from slubench.tables import SCORES

# Without these a row belongs to no run, table or cell.
NEEDED = """
    schema_version rules scorer_version run scores_fingerprint edition corpus task test_in speech_in text_in
    strategy model track data_track ruleset engine serving data_seed train_seed speech speech_share
    clips_bought clips_heard tier created asked slice_by slice metric normalised value
""".split()


@dataclass(frozen=True)
class Reading:
    """What the score files hold.

    Attributes:
        table: All rows, in `SCORES`.
        files: Files whose rows are in it.
        refused: Why the other files are not.
    """

    table: pa.Table
    files: tuple[Path, ...]
    refused: tuple[DataError, ...]


def score_files(home: Path) -> list[Path]:
    """The score files of HOME and those published with the package, in order of their names."""
    shelf = import_module("slubench.leaderboard")
    folders = [home / "leaderboard" / "scores", *(Path(part) / "published" for part in shelf.__path__)]
    return [path for folder in folders for path in sorted(folder.glob("*.parquet"))]


def read_scores(paths: Sequence[Path]) -> Reading:
    """Read score files; one that is broken is refused and the others are read all the same."""
    tables, files, refused = [SCORES.empty_table()], [], []
    for path in paths:
        try:
            tables.append(read_file(path))
            files.append(path)
        except DataError as error:
            refused.append(error)
    return Reading(pa.concat_tables(tables), tuple(files), tuple(refused))


def read_file(path: Path) -> pa.Table:
    """Read one score file.

    Raises:
        DataError: It is no Parquet, or its columns, version or values are not those of `SCORES`.
    """
    try:
        table = pq.ParquetFile(path).read(use_threads=False)
    except (OSError, pa.ArrowException) as error:
        raise DataError(f"{path}: not a readable Parquet file ({_first_line(error)}). {_REMEDY}") from error
    _check_columns(path, table.schema)
    table = table.select(SCORES.names).cast(SCORES, safe=False)
    _check_values(path, table)
    return table


_REMEDY = "Make the scores again with this version of slubench, or take the file away."


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]


def _check_columns(path: Path, schema: pa.Schema) -> None:
    for expected in SCORES:
        index = schema.get_field_index(expected.name)
        if index < 0:
            raise DataError(f"{path}: column {expected.name!r} is missing. {_REMEDY}")
        found = schema.field(index).type
        if not _same(found, expected.type):
            raise DataError(
                f"{path}: column {expected.name!r} holds {found}, expected {expected.type}. {_REMEDY}"
            )
    strange = [name for name in schema.names if name not in SCORES.names]
    if strange:
        raise DataError(f"{path}: column {strange[0][:80]!r} is not one of a score file. {_REMEDY}")


def _same(found: pa.DataType, expected: pa.DataType) -> bool:
    # Parquet keeps no whole seconds: they come back as milliseconds.
    if pa.types.is_timestamp(found) and pa.types.is_timestamp(expected):
        return bool(found.tz == expected.tz)
    return bool(found == expected)


def _check_values(path: Path, table: pa.Table) -> None:
    for name in NEEDED:
        if table.column(name).null_count:
            row = pc.index(pc.is_null(table.column(name)), True).as_py() + 1
            raise DataError(f"{path}: column {name!r} is empty in row {row}. {_REMEDY}")
    versions = pc.unique(table.column("schema_version")).to_pylist()
    if any(version != SCHEMA_VERSION for version in versions):
        found = ", ".join(str(version) for version in versions)
        raise DataError(
            f"{path}: column 'schema_version' holds {found}, expected {SCHEMA_VERSION}. {_REMEDY}"
        )
    for name in (field.name for field in SCORES if pa.types.is_floating(field.type)):
        finite = pc.fill_null(pc.is_finite(table.column(name)), True)
        if not pc.all(finite, min_count=0).as_py():
            row = pc.index(finite, False).as_py() + 1
            raise DataError(f"{path}: column {name!r} is not a finite number in row {row}. {_REMEDY}")
