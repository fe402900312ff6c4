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
        rejected: Rows that could not be used, each with its place and reason.
        synthetic_minutes: Length of all synthetic speech that was heard.
        heard_ids: Digest of the sorted ids heard; the ids themselves stand in `consumed.json` of the run.
        read_ids: Digest of the sorted ids read, likewise.
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
    rejected: tuple[str, ...] = ()
    synthetic_minutes: float = 0.0
    heard_ids: str = ""
    read_ids: str = ""

    def to_json(self) -> dict[str, Any]:
        """A dictionary for the card."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Ledger:
        """Read what `to_json` wrote."""
        return cls(
            **{**content, "updates": tuple(content["updates"]), "rejected": tuple(content["rejected"])}
        )


@dataclass(frozen=True)
class Given:
    """What a run's pool was filled with.

    Attributes:
        there: Clips in the task's speech pool.
        bought: Clips that the budget bought.
        target: Condition on target-language data.
        target_clips: Clips of the target language that the condition gave.
        synthetic: Those of all clips that a machine spoke.
    """

    there: int
    bought: Sequence[Clip] = ()
    target: str = "none"
    target_clips: Sequence[Clip] = ()
    synthetic: frozenset[Clip] = frozenset()


def count(
    lessons: Sequence[Lesson],
    given: Given,
    seconds: Callable[[Clip], float],
    rejected: Sequence[object] = (),
) -> Ledger:
    """Count what lessons hold.

    Args:
        lessons: All stages.
        given: What the pool was filled with.
        seconds: Gives a clip's length.
        rejected: Rows that could not be used.
    """
    taken = consumption(lessons)
    minutes = {clip: seconds(clip) / 60 for _, _, clip in taken.heard}
    ledger = Ledger(
        clips_there=given.there,
        clips_bought=len(given.bought),
        minutes_bought=sum(seconds(clip) for clip in given.bought) / 60,
        target=given.target,
        target_clips=len(given.target_clips),
        target_minutes=sum(seconds(clip) for clip in given.target_clips) / 60,
        updates=tuple(lesson.updates for lesson in lessons),
        rejected=tuple(str(row) for row in rejected),
        synthetic_minutes=sum(
            minutes[clip] * times for (_, _, clip), times in taken.heard.items() if clip in given.synthetic
        ),
        heard_ids=digest(sorted({(language, key) for language, key, _ in taken.heard})),
        read_ids=digest(sorted(taken.read)),
    )
    for (language, _, clip), times in taken.heard.items():
        _add(ledger.clips_unique, language, 1)
        _add(ledger.clips_heard, language, times)
        _add(ledger.minutes_unique, language, minutes[clip])
        _add(ledger.minutes_heard, language, times * minutes[clip])
    for (language, _), times in taken.read.items():
        _add(ledger.text_unique, language, 1)
        _add(ledger.text_read, language, times)
    return ledger


@dataclass(frozen=True)
class Consumption:
    """How often each clip was heard, by language, utterance and clip, and each transcript read."""

    heard: Counter[tuple[str, str, Clip]]
    read: Counter[tuple[str, str]]

    def to_json(self) -> dict[str, dict[str, list[str]]]:
        """The ids heard and read, sorted, by language."""
        listed: dict[str, dict[str, set[str]]] = {"heard": {}, "read": {}}
        for language, key, _ in self.heard:
            listed["heard"].setdefault(language, set()).add(key)
        for language, key in self.read:
            listed["read"].setdefault(language, set()).add(key)
        return {
            what: {language: sorted(ids) for language, ids in sorted(by.items())}
            for what, by in listed.items()
        }


def consumption(lessons: Sequence[Lesson]) -> Consumption:
    """What lessons hold, example by example."""
    heard: Counter[tuple[str, str, Clip]] = Counter()
    read: Counter[tuple[str, str]] = Counter()
    for lesson in lessons:
        for example in lesson.examples:
            for part in example.parts:
                if isinstance(part, Clip):
                    heard[example.language, example.utterance, part] += 1
            if any(isinstance(part, str) for part in example.parts):
                read[example.language, example.utterance] += 1
    return Consumption(heard, read)


def _add(counts: dict[str, Any], language: str, amount: float) -> None:
    counts[language] = counts.get(language, 0) + amount
