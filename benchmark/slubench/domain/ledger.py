"""The ledger: what a run used, as recorded on its card."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from slubench.domain.renamed_columns import LEDGER, renamed
from slubench.domain.selection import LAST
from slubench.domain.selection import renamed as renamed_selection

BY_HASH, BY_STRATEGY = "by hash", "by the strategy"


@dataclass(frozen=True)
class Ledger:
    """The data and updates used in training.

    Attributes:
        clips_there: Clips in the task's speech pool.
        clips_bought: Clips that the budget bought.
        minutes_bought: Their length.
        target: Condition on target-language data.
        target_clips: Clips of the target language that the condition gave.
        target_minutes: Their length.
        clips_unique: Clips used at least once, by language.
        clip_exposures: Clips used, repeats included, by language.
        minutes_unique: Length of the clips used at least once, by language.
        minutes_exposed: Length of all clips used, repeats included, by language.
        text_unique: Transcripts used at least once, by language.
        text_exposures: Transcripts used, repeats included, by language.
        updates: Updates of each stage.
        cell_updates: U, the updates that the rules give the cell; 0 where a card does not tell it.
        rejected: Rows that could not be used, each with its place and reason.
        synthetic_minutes: Length of all synthetic speech used.
        clip_ids: Digest of the sorted ids of the clips used; the ids stand in `consumed.json` of the run.
        text_ids: Digest of the sorted ids of the transcripts used, likewise.
        selection: What was validated on, and which weights count.
        validation_clips: Clips validated on.
        validation_minutes: Their length.
        validation_texts: Transcripts validated on.
        validation_ids: Digest of the sorted ids validated on, likewise.
        texts_derived: Different texts that were made from the pool's by a declared transform.
        unlabelled_unique: Recordings that were not bought and were learnt from, without labels.
        unlabelled_exposures: How often, repeats included.
        unlabelled_minutes: Length of these, repeats included.
        spoken_unique: Clips of a synthesiser (`pool.speak`).
        spoken_exposures: How often they were heard, repeats included.
        spoken_minutes: Length of these, repeats included.
        predicted: Replies of the model that stages asked for (`pool.predict`).
        predicted_unlabelled: Recordings that were not bought and were heard to that end.
        draw: How the clips that were bought were drawn: by the hash of data seed and id, which all strategies
            share, or by the strategy's own `choose`.
        chosen: The utterances whose clips `choose` bought, by language.
    """

    clips_there: int = 0
    clips_bought: int = 0
    minutes_bought: float = 0.0
    target: str = "none"
    target_clips: int = 0
    target_minutes: float = 0.0
    clips_unique: dict[str, int] = field(default_factory=dict)
    clip_exposures: dict[str, int] = field(default_factory=dict)
    minutes_unique: dict[str, float] = field(default_factory=dict)
    minutes_exposed: dict[str, float] = field(default_factory=dict)
    text_unique: dict[str, int] = field(default_factory=dict)
    text_exposures: dict[str, int] = field(default_factory=dict)
    updates: tuple[int, ...] = ()
    cell_updates: int = 0
    rejected: tuple[str, ...] = ()
    synthetic_minutes: float = 0.0
    clip_ids: str = ""
    text_ids: str = ""
    selection: str = LAST
    validation_clips: int = 0
    validation_minutes: float = 0.0
    validation_texts: int = 0
    validation_ids: str = ""
    texts_derived: int = 0
    unlabelled_unique: int = 0
    unlabelled_exposures: int = 0
    unlabelled_minutes: float = 0.0
    spoken_unique: int = 0
    spoken_exposures: int = 0
    spoken_minutes: float = 0.0
    predicted: int = 0
    predicted_unlabelled: int = 0
    draw: str = BY_HASH
    chosen: dict[str, list[str]] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """A dictionary for the card."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Ledger:
        """Read what `to_json` wrote, in this version or an earlier one; missing fields get defaults."""
        content = renamed(content, LEDGER)
        lists = {name: tuple(content.get(name, ())) for name in ("updates", "rejected")}
        return cls(**{**content, **lists, "selection": renamed_selection(content.get("selection", LAST))})
