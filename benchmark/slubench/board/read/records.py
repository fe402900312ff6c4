"""Reads the records beside score files; without one, the page of a run shows only its scores."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from slubench.board.read.open_parquet import open_all, open_table
from slubench.board.read.sources import ScoreSource, of_sources
from slubench.runtime import home
from slubench.schemas import RECORDS

# What a record holds at most; a file with more was not written by slubench and is left out.
_LARGEST = 1 << 28  # bytes of a file, unpacked
_MOST = {"facts": 500, "curve_updates": 500, "curve_losses": 500, "samples": 200}
_LONGEST = 200_000  # bytes of a strategy's file


@dataclass(frozen=True)
class StrategyFile:
    """A strategy's file as stored with a run.

    Attributes:
        name: `strategies/curriculum.py` on the shelf, else a bare name, or a plugin.
        sha256: Of its content.
        source: Its text, empty where it was not kept.
    """

    name: str
    sha256: str
    source: str


class Records:
    """Records by scores fingerprint."""

    def __init__(self, tables: Iterable[pa.Table] = ()) -> None:
        self._table = pa.concat_tables([RECORDS.empty_table(), *tables]).combine_chunks()
        fingerprints = self._table.column("scores_fingerprint").to_pylist()
        self._places = {fingerprint: place for place, fingerprint in reversed(list(enumerate(fingerprints)))}

    def of(self, fingerprints: Sequence[str]) -> list[Mapping[str, Any] | None]:
        """Records as rows of `slubench.schemas.RECORDS` without the strategy's source; None if missing."""
        found = [self._places.get(fingerprint) for fingerprint in fingerprints]
        kept = [place for place in found if place is not None]
        rows = iter(
            self._table.drop_columns(["strategy_source"]).take(pa.array(kept, pa.int64())).to_pylist()
        )
        return [None if place is None else next(rows) for place in found]

    def fact(self, name: str, fingerprints: Sequence[str]) -> dict[str, str]:
        """One fact of each of these runs that tells it."""
        found = [one for one in fingerprints if one in self._places]
        places = pa.array([self._places[one] for one in found], pa.int64())
        values = pc.map_lookup(self._table.column("facts").take(places), pa.scalar(name), "first").to_pylist()
        return {one: value for one, value in zip(found, values, strict=True) if value is not None}

    def strategy_files(self, fingerprints: Sequence[str]) -> dict[str, str]:
        """The names of the strategies' files of these runs."""
        found = [one for one in fingerprints if one in self._places]
        places = pa.array([self._places[one] for one in found], pa.int64())
        names = self._table.column("strategy_file").take(places).to_pylist()
        return dict(zip(found, names, strict=True))

    def strategy(self, fingerprints: Iterable[str]) -> StrategyFile | None:
        """The strategy's file of the first of these runs that has one."""
        for fingerprint in fingerprints:
            place = self._places.get(fingerprint)
            if place is not None:
                names = ("strategy_file", "strategy_sha256", "strategy_source")
                file = StrategyFile(*(self._table.column(name)[place].as_py() for name in names))
                if file.source:
                    return file
        return None

    def files(self, fingerprints: Iterable[str]) -> int:
        """The number of different strategy files of these runs."""
        places = [self._places[one] for one in fingerprints if one in self._places]
        digests = self._table.column("strategy_sha256").take(pa.array(places, pa.int64())).to_pylist()
        return len(set(digests) - {""})


def read_records(scores: Sequence[Path], sources: Mapping[str, ScoreSource] | None = None) -> Records:
    """Read the records beside score files; those unlike `slubench.schemas.RECORDS` are left out.

    Args:
        scores: The score files.
        sources: Which of them holds each run, see `slubench.board.read.scores.ScoreFiles`; only what lies
            beside that one counts. None where no run is in two of them.
    """
    paths = [home.beside(path, home.RECORDS) for path in scores]
    return Records(of_sources(zip(scores, open_all(paths, _opened), strict=True), sources))


def _opened(path: Path) -> pa.Table | str:
    return open_table(path, RECORDS, _fault, largest=_LARGEST)


def _fault(table: pa.Table) -> str | None:
    if any(column.null_count for column in table.columns):
        return "a value is missing"
    lengths = {name: pc.list_value_length(table.column(name)) for name in _MOST if name != "facts"}
    # The kernel for lengths knows lists and no maps, which are lists of pairs.
    pairs = pa.list_(pa.struct([("key", pa.string()), ("value", pa.string())]))
    lengths["facts"] = pc.list_value_length(table.column("facts").combine_chunks().cast(pairs))
    for name, most in _MOST.items():
        if (pc.max(lengths[name]).as_py() or 0) > most:
            return f"{name} holds more than {most:,} values"
    longest = pc.max(pc.binary_length(table.column("strategy_source"))).as_py() or 0
    curves = pc.equal(lengths["curve_updates"], lengths["curve_losses"])
    finite = pc.all(pc.is_finite(pc.list_flatten(table.column("curve_losses"))), min_count=0)
    whole = longest <= _LONGEST and pc.all(curves, min_count=0).as_py() and finite.as_py()
    return None if whole else "a strategy's file is too long, or a training curve is malformed"
