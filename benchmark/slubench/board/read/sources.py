"""Sees that each run of the board comes from one file, and that no two runs share a fingerprint."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from slubench.board.read.shown_rows import texts
from slubench.board.row_identity import WHOLE, standing
from slubench.errors import DataError
from slubench.registry.strategy_fingerprint import fingerprint_of_file
from slubench.runtime.home import RECORDS, beside

_MARKS = (*WHOLE, "tier", "created")
_VALUES = ("input", "slice_by", "slice", "metric", "normalised", "value")


class ScoreSource(NamedTuple):
    """Where the scores of a run are.

    Attributes:
        path: The score file.
        fingerprint: Of its scores, as it stands there and in what lies beside it.
    """

    path: Path
    fingerprint: str


class _Place(NamedTuple):
    path: Path
    row: Mapping[str, Any]


def filled_in(table: pa.Table, path: Path) -> pa.Table:
    """A score file with the identity that its record tells, where its own columns are from before.

    That is the weights of the model, and the strategy's fingerprint, which follows from the file that the
    record keeps. What is not told stays empty.
    """
    lacking = [name for name in ("strategy_fingerprint", "model_weights") if table.column(name).null_count]
    if not len(table) or not lacking:
        return table
    names = ["scores_fingerprint", "strategy_sha256", "strategy_source", "facts"]
    try:
        rows = pq.ParquetFile(beside(path, RECORDS)).read(columns=names).to_pylist()
        known = {row["scores_fingerprint"]: row for row in rows}
        marks = table.select(["scores_fingerprint", "strategy"]).to_pylist()
        told = {mark: _told(known.get(mark[0]), mark[1]) for mark in {tuple(m.values()) for m in marks}}
    except (OSError, pa.ArrowException, KeyError, TypeError, ValueError):
        return table
    for name in ("strategy_digest", *lacking):
        values = pa.array([told[tuple(mark.values())].get(name) for mark in marks], pa.string())
        place = table.column_names.index(name)
        column = pc.coalesce(table.column(name), values)
        table = table.set_column(place, table.schema.field(place), column)
    return table


def _told(record: Mapping[str, Any] | None, strategy: str) -> dict[str, str | None]:
    if record is None:
        return {}
    facts, source = dict(record["facts"]), str(record["strategy_source"])
    found = fingerprint_of_file(source, strategy, str(record["strategy_sha256"]))
    weights = facts.get("weights")
    return {
        "strategy_fingerprint": found,
        "strategy_digest": record["strategy_sha256"] or None,
        "model_weights": str(weights) if weights else None,
    }


def chosen(
    tables: Mapping[Path, pa.Table],
) -> tuple[dict[Path, pa.Table], dict[str, ScoreSource], dict[Path, DataError]]:
    """Each run from one file alone, under a fingerprint of its own, whatever files are called.

    Of a run that several files tell, the one of the highest tier counts, then the one made last.

    Args:
        tables: Rows of score files.

    Returns:
        The rows that count; where they are from, by fingerprint; files that give other scores for a run that
        counts from elsewhere, each with a message.
    """
    places: dict[tuple[Any, ...], list[_Place]] = {}
    for path, table in tables.items():
        for row in _marks(table):
            places.setdefault(tuple(row[name] for name in WHOLE), []).append(_Place(path, row))
    runs_of: dict[str, int] = {}
    for key in places:
        runs_of[key[-1]] = runs_of.get(key[-1], 0) + 1
    rest, sources, refused = dict(tables), {}, {}
    for key, several in places.items():
        best, *others = several
        if others:
            ordered = sorted(several, key=lambda place: _order(place, tables[place.path]))
            best, others = ordered[-1], ordered[:-1]
        for other in others:
            if not _same_values(tables[best.path], best.row, tables[other.path], other.row):
                refused[other.path] = _otherwise(other, best)
            if other.path != best.path or other.row != best.row:
                rest[other.path] = rest[other.path].filter(pc.invert(_mask(rest[other.path], other.row)))
        fingerprint = str(key[-1])
        if runs_of[key[-1]] > 1:
            fingerprint = hashlib.sha256(repr(key).encode()).hexdigest()
            rest[best.path] = _renamed(rest[best.path], best.row, fingerprint)
        sources[fingerprint] = ScoreSource(best.path, str(key[-1]))
    return rest, sources, refused


def of_sources(
    tables: Iterable[tuple[Path, pa.Table | str]], sources: Mapping[str, ScoreSource] | None
) -> list[pa.Table]:
    """What lies beside score files, of each run alone what lies beside its own, under its fingerprint.

    Args:
        tables: Each with its score file; what could not be read is left out.
        sources: Where each run's scores are; None where no run is in two of the files.
    """
    if sources is None:
        return [table for _, table in tables if isinstance(table, pa.Table)]
    by_path: dict[Path, dict[str, str]] = {}
    several: set[ScoreSource] = set()
    for fingerprint, source in sources.items():
        if by_path.setdefault(source.path, {}).setdefault(source.fingerprint, fingerprint) != fingerprint:
            several.add(source)  # two runs of one file under one fingerprint: whose it is cannot be told
    found = []
    for path, table in tables:
        if isinstance(table, pa.Table):
            names = by_path.get(path, {})
            own = {old: new for old, new in names.items() if ScoreSource(path, old) not in several}
            told = table.column("scores_fingerprint").to_pylist()
            table = table.filter(pa.array([one in own for one in told], pa.bool_()))
            new = pa.array([own[one] for one in told if one in own], pa.string())
            place = table.column_names.index("scores_fingerprint")
            found.append(table.set_column(place, "scores_fingerprint", new))
    return found


def _marks(table: pa.Table) -> list[dict[str, Any]]:
    """What tells the runs of a file apart, a row each."""
    names = list(_MARKS)
    plain = pa.table([texts(table.column(name)) for name in names], names)
    # Most files hold one run, as `slubench run` writes them.
    alone = len(plain) and all(_constant(column) for column in plain.columns)
    told = plain.slice(0, 1) if alone else plain.group_by(names, use_threads=False).aggregate([])
    rows: list[dict[str, Any]] = told.to_pylist()
    return rows


def _constant(column: pa.ChunkedArray) -> bool:
    return len(pc.unique(column)) == 1


def _mask(table: pa.Table, row: Mapping[str, Any]) -> pa.ChunkedArray:
    mask = None
    for name in _MARKS:
        column, value = texts(table.column(name)), row[name]
        same = pc.is_null(column) if value is None else pc.equal(column, pa.scalar(value, column.type))
        same = pc.fill_null(same, False)
        mask = same if mask is None else pc.and_(mask, same)
    return mask


def _order(place: _Place, table: pa.Table) -> tuple[object, ...]:
    rows = _values(table, place.row)
    content = hashlib.sha256(repr(sorted(rows.items())).encode()).hexdigest()
    return *standing(place.row), len(rows), content


def _values(table: pa.Table, row: Mapping[str, Any]) -> dict[tuple[Any, ...], float]:
    rows = table.filter(_mask(table, row)).select(list(_VALUES)).to_pylist()
    return {tuple(one[name] for name in _VALUES[:-1]): one["value"] for one in rows}


def _same_values(one: pa.Table, row: Mapping[str, Any], other: pa.Table, its: Mapping[str, Any]) -> bool:
    ours, theirs = _values(one, row), _values(other, its)
    return all(abs(ours[place] - theirs[place]) < 1e-6 for place in ours.keys() & theirs.keys())


def _renamed(table: pa.Table, row: Mapping[str, Any], fingerprint: str) -> pa.Table:
    place = table.column_names.index("scores_fingerprint")
    field = table.schema.field(place)
    column = pc.if_else(_mask(table, row), fingerprint, texts(table.column("scores_fingerprint")))
    if pa.types.is_dictionary(field.type):
        column = column.combine_chunks().dictionary_encode()
    return table.set_column(place, field, column)


def _otherwise(other: _Place, best: _Place) -> DataError:
    return DataError(
        f"{other.path}: other scores ({other.row['tier']}) of the same run are in {best.path.name}"
        f" ({best.row['tier']}), which count. Take one of the two files away."
    )
