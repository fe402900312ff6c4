"""Counts the ledger of a run from its training examples (RULES.md, "Budgets")."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from slubench.domain.ledger import Ledger
from slubench.domain.pool import UNLABELLED
from slubench.domain.strategy import Example
from slubench.domain.utterance import Clip, SpokenClip
from slubench.runtime.digest import digest
from slubench.trainset.exposure import StageExamples, exposed_clips


@dataclass(frozen=True)
class PoolContents:
    """The contents of a run's pool.

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
    train_set: Sequence[StageExamples],
    given: PoolContents,
    seconds: Callable[[Clip], float],
    rejected: Sequence[object] = (),
) -> Ledger:
    """Count training examples.

    Args:
        train_set: All stages.
        given: What the pool was filled with.
        seconds: Gives a clip's length.
        rejected: Rows that could not be used.
    """
    taken = consumption(train_set)
    minutes = {clip: seconds(clip) / 60 for _, _, clip in taken.heard}
    ledger = Ledger(
        clips_there=given.there,
        clips_bought=len(given.bought),
        minutes_bought=sum(seconds(clip) for clip in given.bought) / 60,
        target=given.target,
        target_clips=len(given.target_clips),
        target_minutes=sum(seconds(clip) for clip in given.target_clips) / 60,
        updates=tuple(part.updates for part in train_set),
        rejected=tuple(str(row) for row in rejected),
        synthetic_minutes=sum(
            minutes[clip] * times for (_, _, clip), times in taken.heard.items() if clip in given.synthetic
        ),
        clip_ids=digest(sorted({(language, key) for language, key, _ in taken.heard})),
        text_ids=digest(sorted(taken.read)),
        spoken_unique=len(taken.spoken),
        spoken_exposures=taken.spoken.total(),
        spoken_minutes=sum(seconds(clip) * times / 60 for clip, times in taken.spoken.items()),
        unlabelled_unique=len(taken.unlabelled),
        unlabelled_exposures=taken.unlabelled.total(),
        unlabelled_minutes=sum(seconds(one[-1]) * times / 60 for one, times in taken.unlabelled.items()),
    )
    for (language, _, clip), times in taken.heard.items():
        _add(ledger.clips_unique, language, 1)
        _add(ledger.clip_exposures, language, times)
        _add(ledger.minutes_unique, language, minutes[clip])
        _add(ledger.minutes_exposed, language, times * minutes[clip])
    for (language, _), times in taken.read.items():
        _add(ledger.text_unique, language, 1)
        _add(ledger.text_exposures, language, times)
    return ledger


@dataclass(frozen=True)
class Consumption:
    """Training and validation examples.

    Attributes:
        heard: How often each clip was heard, by language, utterance and clip.
        read: How often each transcript was read, by language and utterance.
        watched: The utterances that were looked at, by language.
        unlabelled: How often each recording that was not bought was heard.
        spoken: How often each clip of a synthesiser was heard.
    """

    heard: Counter[tuple[str, str, Clip]]
    read: Counter[tuple[str, str]]
    watched: frozenset[tuple[str, str]] = frozenset()
    unlabelled: Counter[tuple[str, str, Clip]] = field(default_factory=Counter)
    spoken: Counter[SpokenClip] = field(default_factory=Counter)

    def to_json(self) -> dict[str, dict[str, list[str]]]:
        """The ids of clips, texts and validation examples used, sorted, by language."""
        listed: dict[str, dict[str, set[str]]] = {"heard": {}, "read": {}, "watched": {}}
        for language, key, _ in self.heard:
            listed["heard"].setdefault(language, set()).add(key)
        for language, key in self.read:
            listed["read"].setdefault(language, set()).add(key)
        for language, key in self.watched:
            listed["watched"].setdefault(language, set()).add(key)
        return {
            what: {language: sorted(ids) for language, ids in sorted(by.items())}
            for what, by in listed.items()
        }


def consumption(train_set: Sequence[StageExamples], watched: Sequence[Example] = ()) -> Consumption:
    """Training and validation examples, one by one."""
    heard: Counter[tuple[str, str, Clip]] = Counter()
    read: Counter[tuple[str, str]] = Counter()
    unlabelled: Counter[tuple[str, str, Clip]] = Counter()
    spoken: Counter[SpokenClip] = Counter()
    for stage in train_set:
        for example in stage.examples:
            counted = unlabelled if example.utterance.startswith(UNLABELLED) else heard
            for part in example.clips:
                if isinstance(part, SpokenClip):
                    spoken[part] += 1
            for part in exposed_clips(example):
                counted[example.language, example.utterance, part] += 1
            if counted is heard and any(isinstance(part, str) for part in example.parts):
                read[example.language, example.utterance] += 1
    return Consumption(heard, read, _ids(watched), unlabelled, spoken)


def look(ledger: Ledger, selection: str, watched: Sequence[Example], seconds: float) -> Ledger:
    """Add a run's validation examples to its ledger.

    Args:
        ledger: What it learnt.
        selection: The selection's name.
        watched: What it looked at.
        seconds: How long the clips among it are.
    """
    clips = sum(isinstance(part, Clip) for example in watched for part in example.parts)
    return replace(
        ledger,
        selection=selection,
        validation_clips=clips,
        validation_minutes=seconds / 60,
        validation_texts=len(watched) - clips,
        validation_ids=digest(sorted(_ids(watched))) if watched else "",
    )


def _ids(watched: Sequence[Example]) -> frozenset[tuple[str, str]]:
    return frozenset((example.language, example.utterance) for example in watched)


def _add(counts: dict[str, Any], language: str, amount: float) -> None:
    counts[language] = counts.get(language, 0) + amount
