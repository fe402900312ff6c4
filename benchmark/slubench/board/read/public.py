"""Leaves out slices over so few speakers that one could be identified (RULES.md)."""

from __future__ import annotations

import pyarrow as pa

FEWEST_SPEAKERS = 5
OF_WORDS = ("all", "language", "intent", "entities", "length", "sentence")
"""Columns about sentences rather than speakers, which are shown even if speakers are unknown."""


def public_rows(table: pa.Table) -> pa.Table:
    """The score rows that may be shown, see `may_be_shown`."""
    places = zip(table.column("slice_by").to_pylist(), table.column("speakers").to_pylist(), strict=True)
    return table.filter(pa.array([may_be_shown(*place) for place in places], pa.bool_()))


def may_be_shown(column: str, speakers: int | None) -> bool:
    """Whether a slice may be shown: it has at least five speakers.

    Args:
        column: What it is sliced by. Where nobody knows how many speakers it is over, it is shown only if its
            column is of `OF_WORDS`.
        speakers: How many, None where that is not known.
    """
    if column == "all":
        return True
    return column in OF_WORDS if speakers is None else speakers >= FEWEST_SPEAKERS
