"""Slices of the test set, by columns of the corpus and by properties of gold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from slubench.domain.utterance import Utterance
from slubench.metrics.measured import Members

UNKNOWN = "unknown:"  # no corpus names a speaker so
LENGTHS = (2.0, 3.0, 4.0, 6.0)
"""The bounds in seconds of clip-length bins; SLU clips average about 4 s."""


def columns_of(utterance: Utterance, seconds: float | None = None) -> dict[str, str]:
    """The slices of an utterance, by column.

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


def length_of(seconds: float) -> str:
    """The bin of a clip's length, such as `3-4 s`."""
    lower = max((edge for edge in LENGTHS if seconds >= edge), default=None)
    upper = min((edge for edge in LENGTHS if seconds < edge), default=None)
    if lower is None:
        return f"under {LENGTHS[0]:g} s"
    return f"{lower:g} s and longer" if upper is None else f"{lower:g}-{upper:g} s"


def speakers_of(named: Sequence[tuple[str, str | None]]) -> list[str] | None:
    """The speaker of each recording, for intervals; None if most are unknown.

    A recording whose speaker is not known stands for a speaker of its own.

    Args:
        named: Key and speaker of each recording.
    """
    known = sum(speaker is not None for _, speaker in named)
    if 2 * known <= len(named):
        return None
    return [f"{UNKNOWN}{key}" if speaker is None else speaker for key, speaker in named]


def gathered(columns: Iterable[Mapping[str, str]]) -> dict[tuple[str, str], Members]:
    """The indices of the items in each slice, `("all", "all")` first, then in order of appearance."""
    places: dict[tuple[str, str], list[int]] = {("all", "all"): []}
    for place, one in enumerate(columns):
        places["all", "all"].append(place)
        for by, name in one.items():
            places.setdefault((by, name), []).append(place)
    return {key: np.array(found, dtype=np.intp) for key, found in places.items()}
