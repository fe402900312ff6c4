"""ledger."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from slubench.domain.selection import LAST


@dataclass(frozen=True)
class Ledger:
    """What a run heard and read.

    Attributes:
        clips_there: Clips in the task's speech pool.
        clips_bought: Clips that the budget bought.
        minutes_bought: Their length.
        target: Condition on target-language data.
        target_clips: Clips of the target language that the condition gave.
        target_minutes: Their length.
        clips_unique: Clips heard at least once, by language.
        clips_heard: Clips heard, repeats included, by language.
        minutes_unique: Length of the clips heard at least once, by language.
        minutes_heard: Length of all that was heard, by language.
        text_unique: Transcripts read at least once, by language.
        text_read: Transcripts read, repeats included, by language.
        updates: Updates of each stage.
        cell_updates: U, the updates that the rules give the cell; 0 where a card does not tell it.
        rejected: Rows that could not be used, each with its place and reason.
        synthetic_minutes: Length of all synthetic speech that was heard.
        heard_ids: Digest of the sorted ids heard; the ids themselves stand in `consumed.json` of the run.
        read_ids: Digest of the sorted ids read, likewise.
        selection: What was looked at beside what was learnt, and which weights count.
        clips_watched: Clips that were looked at so.
        minutes_watched: Their length.
        text_watched: Transcripts that were looked at so.
        watched_ids: Digest of the sorted ids looked at, likewise.
        texts_derived: Different texts that were made from the pool's by a declared transform.
    """

    clips_there: int = 0
    clips_bought: int = 0
    minutes_bought: float = 0.0
    target: str = "none"
    target_clips: int = 0
    target_minutes: float = 0.0
    clips_unique: dict[str, int] = field(default_factory=dict)
    clips_heard: dict[str, int] = field(default_factory=dict)
    minutes_unique: dict[str, float] = field(default_factory=dict)
    minutes_heard: dict[str, float] = field(default_factory=dict)
    text_unique: dict[str, int] = field(default_factory=dict)
    text_read: dict[str, int] = field(default_factory=dict)
    updates: tuple[int, ...] = ()
    cell_updates: int = 0
    rejected: tuple[str, ...] = ()
    synthetic_minutes: float = 0.0
    heard_ids: str = ""
    read_ids: str = ""
    selection: str = LAST
    clips_watched: int = 0
    minutes_watched: float = 0.0
    text_watched: int = 0
    watched_ids: str = ""
    texts_derived: int = 0

    def to_json(self) -> dict[str, Any]:
        """A dictionary for the card."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Ledger:
        """Read what `to_json` wrote."""
        return cls(
            **{**content, "updates": tuple(content["updates"]), "rejected": tuple(content["rejected"])}
        )
