"""Former names of columns and of cards' fields, which are still read."""

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
    """An object with current names; if it has both the old and the new name, the new one counts."""
    return {names.get(name, name): value for name, value in content.items() if names.get(name) not in content}


def row_of_today(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row of JSON with current columns and inputs."""
    found = renamed(row, COLUMNS)
    if isinstance(found.get("input"), str):
        found["input"] = INPUTS.get(found["input"], found["input"])
    return found
