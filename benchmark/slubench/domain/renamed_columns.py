"""Names that columns and cards had before; what was written under them is read under those of today."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

COLUMNS = {
    "asked": "input",
    "clips_heard": "clip_exposures",
    "minutes_heard": "minutes_exposed",
    "own_fingerprint": "asr_fingerprint",
}
"""Of Parquet files and of rows of JSON, before schema version 3."""
INPUTS = {"own-transcript": "asr"}
"""Values of the column `input`."""
LEDGER = {
    "clips_heard": "clip_exposures",
    "minutes_heard": "minutes_exposed",
    "text_read": "text_exposures",
    "heard_ids": "clip_ids",
    "read_ids": "text_ids",
    "clips_watched": "validation_clips",
    "minutes_watched": "validation_minutes",
    "text_watched": "validation_texts",
    "watched_ids": "validation_ids",
}
"""Of a card's ledger, before card version 2."""


def renamed(content: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """An object with the names of today; where both are there, that of today counts."""
    return {names.get(name, name): value for name, value in content.items() if names.get(name) not in content}


def row_of_today(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row of JSON with the columns and inputs of today."""
    found = renamed(row, COLUMNS)
    if isinstance(found.get("input"), str):
        found["input"] = INPUTS.get(found["input"], found["input"])
    return found
