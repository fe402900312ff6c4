"""The ledger: what a run really consumed, counted from its lessons (RULES.md, "Budgets")."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from slubench.digest import digest
from slubench.lessons import Lesson
from slubench.utterance import Clip


@dataclass(frozen=True)
class Ledger:
    """What a run heard and read.

    Attributes:
        clips_there: Clips in the task's speech pool.
        clips_bought: Clips that the budget bought.
        minutes_bought: Their length.
        clips_unique: Clips heard at least once, by language.
        clips_heard: Clips heard, repeats included, by language.
        minutes_unique: Length of the clips heard at least once, by language.
        minutes_heard: Length of all that was heard, by language.
        text_unique: Transcripts read at least once, by language.
        text_read: Transcripts read, repeats included, by language.
        updates: Updates of each stage.
        rejected: Rows that could not be used, each with its place and reason.
        heard_ids: Digest of the sorted ids heard; the ids themselves are in the lessons.
    """

    clips_there: int = 0
    clips_bought: int = 0
    minutes_bought: float = 0.0
    clips_unique: dict[str, int] = field(default_factory=dict)
    clips_heard: dict[str, int] = field(default_factory=dict)
    minutes_unique: dict[str, float] = field(default_factory=dict)
    minutes_heard: dict[str, float] = field(default_factory=dict)
    text_unique: dict[str, int] = field(default_factory=dict)
    text_read: dict[str, int] = field(default_factory=dict)
    updates: tuple[int, ...] = ()
    rejected: tuple[str, ...] = ()
    heard_ids: str = ""

    def to_json(self) -> dict[str, Any]:
        """A dictionary for the card."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Ledger:
        """Read what `to_json` wrote."""
        return cls(
            **{**content, "updates": tuple(content["updates"]), "rejected": tuple(content["rejected"])}
        )


def count(
    lessons: Sequence[Lesson],
    there: int,
    bought: Sequence[Clip],
    seconds: Callable[[Clip], float],
    rejected: Sequence[object] = (),
) -> Ledger:
    """Count what lessons hold.

    Args:
        lessons: All stages.
        there: Clips in the task's speech pool.
        bought: Clips that the budget bought.
        seconds: Gives a clip's length.
        rejected: Rows that could not be used.
    """
    heard: Counter[tuple[str, str, Clip]] = Counter()
    read: Counter[tuple[str, str]] = Counter()
    for lesson in lessons:
        for example in lesson.examples:
            for part in example.parts:
                if isinstance(part, Clip):
                    heard[example.language, example.utterance, part] += 1
            if any(isinstance(part, str) for part in example.parts):
                read[example.language, example.utterance] += 1
    ledger = Ledger(
        clips_there=there,
        clips_bought=len(bought),
        minutes_bought=sum(seconds(clip) for clip in bought) / 60,
        updates=tuple(lesson.updates for lesson in lessons),
        rejected=tuple(str(row) for row in rejected),
        heard_ids=digest(sorted({(language, key) for language, key, _ in heard})),
    )
    for (language, _, clip), times in heard.items():
        _add(ledger.clips_unique, language, 1)
        _add(ledger.clips_heard, language, times)
        _add(ledger.minutes_unique, language, seconds(clip) / 60)
        _add(ledger.minutes_heard, language, times * seconds(clip) / 60)
    for (language, _), times in read.items():
        _add(ledger.text_unique, language, 1)
        _add(ledger.text_read, language, times)
    return ledger


def _add(counts: dict[str, Any], language: str, amount: float) -> None:
    counts[language] = counts.get(language, 0) + amount
