"""A home as version 2 of the schema wrote it: scores, sums, records, predictions and cards."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from slubench.domain.renamed_columns import COLUMNS, LEDGER
from slubench.metrics import COUNT_NAMES
from slubench.pipeline.fingerprints import scores_fingerprint_before
from slubench.runtime.home import RECORDS, REPLICATES, SUMS, Home, beside
from slubench.schemas import SCORES, schema_before

OLD = {new: old for old, new in COLUMNS.items()}


def age(home: Home) -> list[Path]:
    """Rewrite all that is scored, predicted and trained; the score files, under their old fingerprints."""
    for path in home.adapters.glob("*.json"):
        path.write_text(json.dumps(old_card(json.loads(path.read_text("utf-8")))), "utf-8")
    for path in home.runs.glob("*/answers/*/answers.parquet"):
        pq.write_table(old_columns(pq.read_table(path)), path)
    return [old_scores(path) for path in sorted(home.scores.glob("*.parquet"))]


def old_card(card: dict[str, Any]) -> dict[str, Any]:
    """A card of version 1."""
    old = {new: before for before, new in LEDGER.items()}
    ledger = {old.get(name, name): value for name, value in card["ledger"].items()}
    return {**card, "ledger": ledger, "version": 1}


def old_columns(table: pa.Table) -> pa.Table:
    """A table by its old columns."""
    if "input" in table.column_names:
        place = table.column_names.index("input")
        kinds = ["own-transcript" if one == "asr" else one for one in table.column("input").to_pylist()]
        table = table.set_column(place, "input", pa.array(kinds))
    return table.rename_columns([OLD.get(name, name) for name in table.column_names])


def old_score_table(table: pa.Table) -> pa.Table:
    """Score rows of version 2."""
    row = table.slice(0, 1).to_pylist()[0]
    fingerprint = scores_fingerprint_before(row, 2)
    table = old_columns(table).select(schema_before(SCORES).names)
    for name, value in (("schema_version", 2), ("scores_fingerprint", fingerprint)):
        field = table.schema.field(name)
        place = table.column_names.index(name)
        table = table.set_column(place, field, pa.array([value] * len(table), field.type))
    return table


def old_scores(path: Path) -> Path:
    """A score file and what lies beside it, as version 2 wrote them."""
    table = old_score_table(pq.read_table(path))
    fingerprint = table.column("scores_fingerprint")[0].as_py()
    target = path.with_name(f"{table.column('run')[0].as_py()}-{fingerprint[:8]}.parquet")
    beside_it = {kind: pq.read_table(beside(path, kind)) for kind in (SUMS, REPLICATES, RECORDS)}
    for kind in beside_it:
        beside(path, kind).unlink()
    path.unlink()
    pq.write_table(table, target)
    for kind, part in beside_it.items():
        place = part.column_names.index("scores_fingerprint")
        part = part.set_column(place, "scores_fingerprint", pa.array([fingerprint] * len(part)))
        written = (
            old_sums(part) if kind == SUMS else old_records(part) if kind == RECORDS else old_columns(part)
        )
        pq.write_table(written, beside(target, kind))
    return target


def old_sums(table: pa.Table) -> pa.Table:
    """Sums of SLURP's counts alone, a column each."""
    rows = [row for row in table.to_pylist() if row["counting"] == "slurp"]
    counts = np.array([row["counts"] for row in rows])
    kept = [{name: row[name] for name in table.column_names[:6]} for row in rows]
    made = old_columns(pa.Table.from_pylist(kept, schema=pa.schema(list(table.schema)[:6])))
    for name, column in zip(COUNT_NAMES, counts.T, strict=True):
        made = made.append_column(name, pa.array(column))
    return made


def old_records(table: pa.Table) -> pa.Table:
    """Records whose samples have the old name of their input."""
    rows = table.to_pylist()
    for row in rows:
        row["samples"] = [
            {OLD.get(name, name): value for name, value in one.items()} for one in row["samples"]
        ]
    samples = table.schema.field("samples").type.value_type
    struct = pa.struct([(OLD.get(field.name, field.name), field.type) for field in samples])
    place = table.schema.get_field_index("samples")
    schema = table.schema.set(place, pa.field("samples", pa.list_(struct)))
    return pa.Table.from_pylist(rows, schema=schema)


def scores_of_version_3(path: Path) -> Path:
    """A score file and what lies beside it, as version 3 of the schema wrote them."""
    table = pq.read_table(path)
    fingerprint = scores_fingerprint_before(table.slice(0, 1).to_pylist()[0], 3)
    table = table.drop_columns(["strategy_fingerprint"])
    target = path.with_name(f"{table.column('run')[0].as_py()}-{fingerprint[:8]}.parquet")
    for kind in (SUMS, REPLICATES, RECORDS):
        part = _bearing(pq.read_table(beside(path, kind)), "scores_fingerprint", fingerprint)
        beside(path, kind).unlink()
        pq.write_table(part, beside(target, kind))
    path.unlink()
    pq.write_table(_bearing(_bearing(table, "schema_version", 3), "scores_fingerprint", fingerprint), target)
    return target


def _bearing(table: pa.Table, name: str, value: object) -> pa.Table:
    field = table.schema.field(name)
    place = table.column_names.index(name)
    return table.set_column(place, field, pa.array([value] * len(table), field.type))
