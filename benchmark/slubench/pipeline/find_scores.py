"""Finds the scores of a run that exist already; those of an earlier version are carried over."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from glob import escape
from pathlib import Path
from typing import Any

from slubench.errors import DataError
from slubench.metrics import SCORER_VERSION
from slubench.pipeline.context import Context
from slubench.pipeline.fingerprints import more_metrics, scores_fingerprint, scores_fingerprint_before
from slubench.pipeline.kept_predictions import read_report
from slubench.pipeline.plan import Planned, kept_place, known_of
from slubench.pipeline.rescore import read_identity
from slubench.pipeline.score import PREDICTED, first_row
from slubench.registry.adapters import stem
from slubench.runtime.files import replacing
from slubench.runtime.home import Home, beside
from slubench.schemas import IDENTITY, SCHEMA_VERSION
from slubench.scoring.sidecars import remove_scores
from slubench.scoring.whole import as_of_today, schemas_beside, whole_scores


def find_scores(planned: Planned, context: Context) -> Path | None:
    """The scores of a run, if they exist and are whole; others are made again.

    Raises:
        DataError: They were written by a newer version.
    """
    known, more = known_of(planned), more_metrics(planned.run.task, context.home.root)
    for path in _candidates(planned, known, more, context):
        told = first_row(path, (*PREDICTED, "schema_version"))
        if told is None or any(told[name] != known[name] for name in PREDICTED[1:]):
            continue
        if isinstance(told["schema_version"], int) and told["schema_version"] > SCHEMA_VERSION:
            read_identity(path)  # raises the error that names the version
        try:
            row = read_identity(path)
        except DataError:
            continue
        if str(row.get("engine")).partition(" ")[0] != context.engine:
            continue
        due = {**known, "engine": row["engine"], "serving": row.get("serving")}
        fingerprint = scores_fingerprint(due, more)
        if row["scores_fingerprint"] == fingerprint:
            if whole_scores(path, fingerprint):
                return path
        elif _may_be_carried_over(path, row, due, more):
            return carried_over_file(path, row | due, fingerprint)
    return None


def _candidates(
    planned: Planned, known: Mapping[str, Any], more: Mapping[str, object], context: Context
) -> Iterator[Path]:
    """Files that may hold a run's scores: by its name; by what its kept predictions say of their serving."""
    yield from sorted(context.home.scores.glob(f"{escape(planned.run.name)}-*.parquet"))
    served = _served(planned, context.home)
    if served is not None:
        fingerprint = scores_fingerprint({**known, **served}, more)
        yield from sorted(context.home.scores.glob(f"*-{fingerprint[:8]}.parquet"))


def _served(planned: Planned, home: Home) -> dict[str, str] | None:
    try:
        folder = kept_place(home, planned.trained, planned.test, planned.answered)
        if folder is None:
            return None
        report = read_report(folder)
        return {"engine": f"{report['engine']} {report['version']}", "serving": report["serving"]}
    except DataError:
        return None


def _may_be_carried_over(
    path: Path, row: Mapping[str, Any], due: Mapping[str, Any], more: Mapping[str, object]
) -> bool:
    """Whether a file of the schema before says the same of the same predictions, by its own fingerprint."""
    if row["schema_version"] != SCHEMA_VERSION - 1 or row["scorer_version"] != SCORER_VERSION:
        return False
    before = scores_fingerprint_before(due, SCHEMA_VERSION - 1, more)
    return row["scores_fingerprint"] == before and whole_scores(path, before)


def carried_over_file(path: Path, identity: Mapping[str, Any], fingerprint: str) -> Path:
    """Write a score file of an earlier schema, and what lies beside it, as this version names them.

    Args:
        path: The file; it is replaced.
        identity: What its rows are to say of their run.
        fingerprint: Of its scores, as this version makes it.

    Returns:
        The new file.
    """
    import pyarrow.parquet as pq

    from slubench import schemas

    new = path.with_name(f"{stem(str(identity['run']), fingerprint)}.parquet")
    told = {**identity, "scores_fingerprint": fingerprint}
    for kind, schema in schemas_beside().items():
        table = as_of_today(pq.ParquetFile(beside(path, kind)).read(), schema)
        with replacing(beside(new, kind)) as temporary:
            pq.write_table(_with(table, {"scores_fingerprint": fingerprint}), temporary, compression="zstd")
    table = as_of_today(pq.read_table(path), schemas.SCORES)
    with replacing(new) as temporary:
        pq.write_table(_with(table, told), temporary, compression="zstd")
    if new != path:
        remove_scores(path)
    return new


def _with(table: Any, values: Mapping[str, Any]) -> Any:
    import pyarrow as pa

    identity = dict(IDENTITY)
    for name, value in values.items():
        if name in identity or name == "scores_fingerprint":
            place = table.column_names.index(name)
            field = table.schema.field(place)
            table = table.set_column(place, field, pa.array([value] * len(table), field.type))
    return table
