"""Slices: which answers are scored apart, by what the corpus says of them and by what follows from gold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from slubench.domain.utterance import Utterance
from slubench.metrics.measured import Members

if TYPE_CHECKING:
    import pyarrow as pa

LENGTHS = (2.0, 3.0, 4.0, 6.0)
"""Seconds at which the bins of a clip's length part; SLU clips average about 4 s."""
FEWEST_SPEAKERS = 5
"""Slices over fewer speakers are not shown in public (RULES.md)."""
OF_WORDS = ("all", "language", "intent", "entities", "length", "sentence")
"""Columns that tell of what is said and not of who says it: the only ones shown where speakers are unknown."""


def columns_of(utterance: Utterance, seconds: float | None = None) -> dict[str, str]:
    """The slices that an utterance is in, by column.

    Its corpus's own columns (microphone, speaker's sex and languages, noise condition, ...), its language,
    its intent, whether its gold has entities, and its clip's length where that is known.

    Args:
        utterance: A row of the test.
        seconds: The length of its clip.
    """
    columns = {
        **utterance.slices,
        "language": utterance.language,
        "intent": utterance.meaning.intent,
        "entities": "some" if utterance.meaning.entities else "none",
    }
    if seconds is not None:
        columns["length"] = length_of(seconds)
    return columns


def may_be_shown(column: str, speakers: int | None) -> bool:
    """Whether a slice may be shown, see `public_rows`."""
    if column == "all":
        return True
    return column in OF_WORDS if speakers is None else speakers >= FEWEST_SPEAKERS


def public_rows(table: pa.Table) -> pa.Table:
    """The score rows that may be shown: no slice over few speakers, who could be told by it.

    Where nobody knows how many speakers a slice is over, it is shown only if its column is of `OF_WORDS`.
    """
    import pyarrow as pa

    places = zip(table.column("slice_by").to_pylist(), table.column("speakers").to_pylist(), strict=True)
    return table.filter(pa.array([may_be_shown(*place) for place in places], pa.bool_()))


def length_of(seconds: float) -> str:
    """The bin of a clip's length, as in `3-4 s`."""
    lower = max((edge for edge in LENGTHS if seconds >= edge), default=None)
    upper = min((edge for edge in LENGTHS if seconds < edge), default=None)
    if lower is None:
        return f"under {LENGTHS[0]:g} s"
    return f"{lower:g} s and longer" if upper is None else f"{lower:g}-{upper:g} s"


def gathered(columns: Iterable[Mapping[str, str]]) -> dict[tuple[str, str], Members]:
    """The places of the answers in each slice, `("all", "all")` first, then in order of appearance."""
    places: dict[tuple[str, str], list[int]] = {("all", "all"): []}
    for place, one in enumerate(columns):
        places["all", "all"].append(place)
        for by, name in one.items():
            places.setdefault((by, name), []).append(place)
    return {key: np.array(found, dtype=np.intp) for key, found in places.items()}
