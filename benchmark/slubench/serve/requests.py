"""Requests, read from Parquet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from slubench.data.clips import ClipStore
from slubench.domain.model import Model
from slubench.domain.prompt import ClipRef, from_rows, render
from slubench.errors import MissingError


@dataclass(frozen=True)
class Request:
    """One request: an input of one utterance.

    Attributes:
        utterance: The utterance's id.
        input: What the model was given: `speech`, `text` or `asr`.
        parts: Text and clips in order.
    """

    utterance: str
    input: str
    parts: tuple[str | ClipRef, ...]

    @property
    def key(self) -> tuple[str, str]:
        """Identifies the request within its file."""
        return self.utterance, self.input

    @property
    def clips(self) -> tuple[str, ...]:
        """The keys of its clips, in order."""
        return tuple(part.key for part in self.parts if isinstance(part, ClipRef))

    def prompt(self, model: Model) -> str:
        """The prompt, with one placeholder for each clip."""
        return render(model, self.parts, self.input)


def load(path: Path) -> list[Request]:
    """Read a file with the columns of `slubench.schemas.REQUESTS`, in order.

    Raises:
        MissingError: The file is not there.
    """
    import pyarrow.parquet as pq

    if not path.exists():
        raise MissingError(f"The requests file {path} does not exist.")
    rows = pq.read_table(path, columns=["utterance", "input", "parts"]).to_pylist()
    return [Request(row["utterance"], row["input"], from_rows(row["parts"])) for row in rows]


def require_clips(questions: Sequence[Request], clips: ClipStore) -> None:
    """Check that every clip is in the store before an engine is started.

    Raises:
        MissingError: A clip is not there.
    """
    for question in questions:
        for key in question.clips:
            if not clips.path(key).exists():
                raise MissingError(
                    f"The clip {key} of utterance {question.utterance!r} is not in {clips.folder}; "
                    "run the command again to decode it."
                )
