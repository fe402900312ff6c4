"""The one place where prompts are built, for training and for serving alike."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from slubench.model import Model

SPEECH_ASKED = "speech"
TEXT_ASKED = "text"


class Sound(NamedTuple):
    """A clip by its key in the clip store."""

    key: str


def render(model: Model, parts: Iterable[str | Sound]) -> str:
    """The prompt for text and clips in order, each clip as the model's audio placeholder.

    The clips' waveforms are passed beside the prompt, in the same order.
    """
    prompt = model.prompt
    body = (prompt.audio if isinstance(part, Sound) else prompt.text.format(text=part) for part in parts)
    return prompt.before + "".join(body) + prompt.after


def to_rows(parts: Iterable[str | Sound]) -> list[dict[str, str | None]]:
    """Parts as the rows of a `parts` column."""
    return [
        {"text": None, "clip": part.key} if isinstance(part, Sound) else {"text": part, "clip": None}
        for part in parts
    ]


def from_rows(rows: Sequence[Mapping[str, str | None]]) -> tuple[str | Sound, ...]:
    """Read what `to_rows` made."""
    return tuple(Sound(row["clip"]) if row["clip"] is not None else row["text"] or "" for row in rows)
