"""Records beside made score files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from slubench.runtime.home import RECORDS, beside
from slubench.schemas import RECORDS as SCHEMA

SOURCE = '"""Read & listen: <half> of the updates.\n\nBy someone.\n"""\n\nNAME = "mine"  # a comment\n'


def sample(
    utterance: str = "7", *, right: bool = True, input_kind: str = "speech", **changes: Any
) -> dict[str, Any]:
    """An answer to show."""
    return {
        "utterance": utterance,
        "input": input_kind,
        "reply": '{"scenario":"iot"}',
        "parsed": True,
        "right": right,
        "said": "licht aus",
        "meant": '{"scenario":"iot"}',
    } | changes


def record(fingerprint: str, **changes: Any) -> dict[str, Any]:
    """A record of a run; `changes` replace columns."""
    return {
        "scores_fingerprint": fingerprint,
        "train_fingerprint": "t",
        "strategy_file": "strategies/curriculum.py",
        "strategy_sha256": "0123456789abcdef" * 4,
        "strategy_source": SOURCE,
        "facts": [("recipe.rate", "0.005"), ("ledger.updates", "125, 125"), ("training.device", "cpu")],
        "curve_updates": [50, 125, 200, 250],
        "curve_losses": [2.5, 0.8, 0.3, 0.1],
        "samples": [sample(), sample(input_kind="text"), sample("8", right=False, reply="no", parsed=False)],
    } | changes


def write_records(scores: Path, *rows: dict[str, Any]) -> Path:
    """Write records beside a score file and give their path."""
    path = beside(scores, RECORDS)
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(list(rows), schema=SCHEMA), path)
    return path
