"""An utterance: its text, language, meaning, and the place of its recording."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from slubench.domain.meaning import Meaning


@dataclass(frozen=True)
class Clip:
    """The place of a recording.

    Attributes:
        file: A Parquet file with encoded audio bytes, or the recording itself.
        row: The row of the Parquet file, or None where the file is the recording.
    """

    file: str
    row: int | None = None

    def part(self, begin: float, end: float) -> ClipPart:
        """A stretch of the recording, from one share of its length to another, as in `part(0, 0.5)`."""
        return ClipPart(self.file, self.row, begin, end)


@dataclass(frozen=True)
class ClipPart(Clip):
    """A stretch of a recording.

    Attributes:
        begin: Where it begins, as a share of the recording's length.
        end: Where it ends.
    """

    begin: float = 0.0
    end: float = 1.0


def whole_clip(clip: Clip) -> Clip:
    """The recording that a clip is, or is a part of."""
    return Clip(clip.file, clip.row) if isinstance(clip, ClipPart) else clip


@dataclass(frozen=True)
class SpokenClip(Clip):
    """A recording that a synthesiser made of a text.

    Attributes:
        text: What it says.
        voice: The synthesiser's voice.
    """

    text: str = ""
    voice: str = ""


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
        slots_known: False where the corpus tells the intent alone: `meaning.entities` is then empty
            because nobody knows, and no measure of slots may be taken.
        synthetic: Whether a machine spoke it.
        remarks: What is odd about the row without making it useless, for `slubench data check`.
    """

    id: str
    language: str
    text: str
    meaning: Meaning
    clip: Clip | None = None
    recording: str = ""
    speaker: str | None = None
    slices: Mapping[str, str] = field(default_factory=dict)
    slots_known: bool = True
    synthetic: bool = False
    remarks: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """Identifies the row within its language and split."""
        return f"{self.id}/{self.recording}" if self.recording else self.id
