"""Reads score files, refuses those that do not fit `slubench.schemas.SCORES`, and drops duplicates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from slubench.board.read.open_parquet import open_all, open_table
from slubench.board.read.shown_rows import COMPACT, compact, shown_rows, together_compact
from slubench.board.read.sources import ScoreSource, chosen, filled_in
from slubench.domain.selection import RENAMED
from slubench.errors import DataError
from slubench.schemas import SCORES, check_version

# Without these a row belongs to no run, table or cell.
NEEDED = """
    schema_version rules scorer_version run scores_fingerprint edition corpus task test_in speech_in text_in
    strategy model track data_track ruleset engine serving data_seed train_seed speech speech_share
    clips_bought clip_exposures selection tier created input slice_by slice metric normalised value
""".split()


@dataclass(frozen=True)
class ScoreFiles:
    """The rows of all score files, and the files that were refused.

    Attributes:
        table: All rows, in `SCORES`.
        files: Files whose rows are in it.
        refused: Why the other files are not, and files whose rows do not count.
        sources: Where the scores of each run are, by the fingerprint that they have in `table`.
    """

    table: pa.Table
    files: tuple[Path, ...]
    refused: tuple[DataError, ...]
    sources: Mapping[str, ScoreSource] = field(default_factory=dict)


def score_files(home: Path) -> list[Path]:
    """The score files of HOME, those published in it, and those published with the package, by name."""
    shelf = import_module("slubench.leaderboard")
    own = home / "leaderboard"
    folders = [own / "scores", own / "published", *(Path(part) / "published" for part in shelf.__path__)]
    there = dict.fromkeys(folder.resolve() for folder in folders)
    return [path for folder in there for path in sorted(folder.glob("*.parquet"))]


def read_scores(paths: Sequence[Path], *, shown: bool = False) -> ScoreFiles:
    """Read score files; a broken file is refused and the others are still read.

    Args:
        paths: The files.
        shown: Whether only what the page shows is kept, see `slubench.board.read.shown_rows`. A real file
            holds well over a thousand rows, of which the page shows less than a tenth.
    """
    opened = [
        _refused(path, one) if isinstance(one, str) else one
        for path, one in zip(paths, open_all(paths, _opened_shown if shown else _opened), strict=True)
    ]
    found = {path: table for path, table in zip(paths, opened, strict=True) if isinstance(table, pa.Table)}
    refused = {path: why for path, why in zip(paths, opened, strict=True) if isinstance(why, DataError)}
    rows = _together(list(found.values()))
    # Thousands of small files are checked as one; only where that fails is each looked at.
    if _fault(rows) is not None:
        refused |= {path: why for path in found if (why := _refusal(path, found[path])) is not None}
        found = {path: table for path, table in found.items() if path not in refused}
    files = tuple(path for path in paths if path not in refused)
    counted, sources, otherwise = chosen(found)
    refused |= otherwise
    rows = _together(list(counted.values()))
    return ScoreFiles(rows, files, tuple(refused[path] for path in paths if path in refused), sources)


def read_file(path: Path) -> pa.Table:
    """Read one score file.

    Raises:
        DataError: It is no Parquet, or its columns, version or values are not those of `SCORES`.
    """
    table = _opened(path)
    if isinstance(table, str):
        raise _refused(path, table)
    if (why := _refusal(path, table)) is not None:
        raise why
    return _together([table])


def _together(tables: Sequence[pa.Table]) -> pa.Table:
    first = [_AS_WRITTEN.empty_table()] if not tables else []
    if any(one.schema.equals(COMPACT) for one in tables):
        return together_compact(tables)
    together = (
        pa.concat_tables([*first, *tables], promote_options="permissive")
        .combine_chunks()
        .cast(SCORES, safe=False)
    )
    return _renamed_rulesets(together)


def _renamed_rulesets(together: pa.Table) -> pa.Table:
    rulesets = together.column("ruleset")
    for before, now in RENAMED.items():
        rulesets = pc.replace_substring(rulesets, before, now)
    return together.set_column(SCORES.get_field_index("ruleset"), SCORES.field("ruleset"), rulesets)


def _opened(path: Path) -> pa.Table | str:
    table = open_table(path, SCORES, strict=True)
    return table if isinstance(table, str) else filled_in(table, path)


def _opened_shown(path: Path) -> pa.Table | str:
    table = open_table(path, SCORES, strict=True)
    if isinstance(table, str):
        return table
    table = filled_in(shown_rows(table), path)
    fault = _fault(table)
    return fault or compact(_renamed_rulesets(table.cast(SCORES, safe=False)))


# Parquet keeps no whole seconds: they come back as milliseconds.
_AS_WRITTEN = SCORES.set(SCORES.get_field_index("created"), pa.field("created", pa.timestamp("ms", tz="UTC")))
_REMEDY = "Run `slubench rescore`, or remove the file."


def _refused(path: Path, why: str) -> DataError:
    """The refusal of a file; a reason that is a whole sentence already says what to do."""
    return DataError(f"{path}: {why}" if why.endswith(".") else f"{path}: {why}. {_REMEDY}")


def _refusal(path: Path, table: pa.Table) -> DataError | None:
    fault = _fault(table)
    return _refused(path, fault) if fault else None


def _fault(table: pa.Table) -> str | None:
    """The first problem with the values of a table whose columns are right."""
    for name in NEEDED:
        if table.column(name).null_count:
            row = pc.index(pc.is_null(table.column(name)), True).as_py() + 1
            return f"column {name!r} is empty in row {row}"
    try:
        check_version(table, "it")
    except DataError as error:
        return str(error)
    for name in (one.name for one in SCORES if pa.types.is_floating(one.type)):
        finite = pc.fill_null(pc.is_finite(table.column(name)), True)
        if not pc.all(finite, min_count=0).as_py():
            row = pc.index(finite, False).as_py() + 1
            return f"column {name!r} is not a finite number in row {row}"
    return None
