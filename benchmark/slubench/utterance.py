"""An utterance: what was said, in which language, what it means, and where its recording lies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from slubench.meaning import Meaning


@dataclass(frozen=True)
class Clip:
    """Where a recording lies: a row of a Parquet file with encoded audio bytes."""

    file: str
    row: int


@dataclass(frozen=True)
class Utterance:
    """One row of a corpus.

    Attributes:
        id: The sentence's id. Recordings of one sentence share it; so do translations (MASSIVE).
        language: ISO 639-1 code, as in `de`.
        text: The transcript.
        meaning: Gold scenario, action and entities.
        clip: The recording, or None where the row has none.
        recording: Tells recordings of one sentence apart; empty where there is one a sentence.
        speaker: The speaker's id, or None where it is not known.
        slices: Columns by which scores are sliced, such as `condition` or `speaker_sex`.
    """

    id: str
    language: str
    text: str
    meaning: Meaning
    clip: Clip | None = None
    recording: str = ""
    speaker: str | None = None
    slices: Mapping[str, str] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """What identifies the row within its language and split."""
        return f"{self.id}/{self.recording}" if self.recording else self.id
