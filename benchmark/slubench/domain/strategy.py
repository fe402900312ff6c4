"""A strategy: the stages of training, and the data of each."""

from __future__ import annotations

import enum
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from slubench.domain.declared_types import check_takes, check_types
from slubench.domain.meaning import as_reply
from slubench.domain.utterance import Clip, Utterance
from slubench.errors import DeclarationError, shown

NAME = re.compile(r"[a-z0-9]+(?:[-.][a-z0-9]+)*")


class Modality(enum.Flag):
    """What a stage trains on; `TEXT | SPEECH` mixes the two."""

    TEXT = enum.auto()
    SPEECH = enum.auto()


TEXT = Modality.TEXT
SPEECH = Modality.SPEECH
STAGE_EXAMPLES = {
    "learns_from": "TEXT, SPEECH or TEXT | SPEECH (from slubench import TEXT)",
    "trains": "a tuple of 'lm', 'projector', 'encoder', as in trains=('projector',)",
    "start": "the number of an earlier stage, 1 for the first, or 0 for the base model",
    "average": "a tuple of earlier stages' numbers, as in average=(1, 2)",
}
STRATEGY_EXAMPLES = {"stages": "a tuple of stages, as in (Stage(learns_from=TEXT),)"}
"""What messages on wrong types name, by field."""
PARTS = ("lm", "projector", "encoder")
"""The parts of a model that `Stage(trains=...)` names."""


@dataclass(frozen=True)
class Example:
    """A training example: texts and clips, and the target reply.

    Attributes:
        parts: Text and clips in the order the model meets them.
        target: The reply; it alone bears loss.
        utterance: The id of the utterance it was made from, for the ledger.
        language: Its language.
        weight: Its weight in the loss.
    """

    parts: tuple[str | Clip, ...]
    target: str
    utterance: str
    language: str
    weight: float = 1.0

    @property
    def clips(self) -> tuple[Clip, ...]:
        """The clips among its parts."""
        return tuple(part for part in self.parts if isinstance(part, Clip))

    @classmethod
    def written(cls, utterance: Utterance) -> Example:
        """Train on the transcript."""
        return cls((utterance.text,), as_reply(utterance.meaning), utterance.key, utterance.language)

    @classmethod
    def spoken(cls, utterance: Utterance) -> Example:
        """Train on the recording, which the utterance must have."""
        if utterance.clip is None:
            raise ValueError(f"utterance {utterance.key} has no recording")
        return cls((utterance.clip,), as_reply(utterance.meaning), utterance.key, utterance.language)


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A part of training with its own optimiser and schedule; the adapter is passed on.

    Attributes:
        learns_from: `TEXT`, `SPEECH` or both.
        share: Its part of the run's updates, in (0, 1].
        rate: A multiple of the model's base learning rate.
        passes: At most so many passes over what it learns from; None lets the updates decide.
        compose: `compose(pool, rng)` yields the examples of one pass in order, in place of the usual mixture;
            it is called again, with a new `rng`, until the stage's updates are full or its `passes` are over.
        objective: `objective(model, batch)` returns the loss, in place of cross-entropy on the reply.
        transform: `transform(utterance)` returns the texts that `compose` may use for an utterance beside its
            own, as a part or as the target; what is used is kept with the train set and counted.
        trains: The parts that learn in this stage, of `lm`, `projector` and `encoder`; the track says whether
            by LoRA or whole. Empty for all that learn on the track.
        start: Begin from the weights at the end of an earlier stage, numbered from 1; 0 for the base model,
            None for the stage before.
        average: Begin from the mean of what these earlier stages changed in the weights. A stage with a
            `share` of 0 learns nothing more: it is that mean.
    """

    learns_from: Modality
    share: float = 1.0
    rate: float = 1.0
    passes: float | None = None
    compose: Callable[..., Any] | None = None
    objective: Callable[..., Any] | None = None
    transform: Callable[..., Any] | None = None
    trains: tuple[str, ...] = ()
    start: int | None = None
    average: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        check_types(self, "a stage", STAGE_EXAMPLES)
        check_takes(self.compose, "compose", "pool", "rng")
        check_takes(self.objective, "objective", "model", "batch")
        check_takes(self.transform, "transform", "utterance")
        if not self.learns_from:
            raise DeclarationError("a stage must learn from TEXT, SPEECH or TEXT | SPEECH")
        if not (0 < self.share <= 1 or (self.share == 0 and self.average)):
            raise DeclarationError(
                f"the share of a stage must be above 0 and at most 1, not {self.share!r}"
                " (0 is for a stage with an average, which then learns nothing more)"
            )
        if not 0 < self.rate <= 10:
            raise DeclarationError(
                "the rate of a stage multiplies the base rate and must be above 0 and"
                f" at most 10, not {self.rate!r}"
            )
        if self.passes is not None and not self.passes > 0:
            raise DeclarationError(f"the passes of a stage must be above 0, not {self.passes!r}")
        if self.transform is not None and self.compose is None:
            raise DeclarationError("a stage with a transform needs a compose")
        if not isinstance(self.trains, tuple) or not set(self.trains) <= set(PARTS):
            raise DeclarationError(
                f"trains of a stage must be a tuple of {', '.join(map(repr, PARTS))}, as in"
                f" trains=('projector',), not {shown(self.trains)}"
            )
        if not isinstance(self.average, tuple):
            raise DeclarationError(
                f"average of a stage must be a tuple of earlier stages' numbers, as in average=(1, 2), not"
                f" {shown(self.average)}"
            )
        if self.average and self.start is not None:
            raise DeclarationError(
                "a stage begins from one stage (start) or from several (average), not both"
            )


@dataclass(frozen=True, kw_only=True)
class Strategy:
    """A training strategy: stages in order. Without stages, the base model is evaluated.

    Attributes:
        name: Lower case, digits and hyphens, as in `direct-mix`.
        stages: In order; their shares sum to at most 1.
        summary: One line for listings, which else take the first line of the file's docstring.
        source: Where it was published.
        track: `closed` learns from the task's pools alone; `open` declares other data.
        ontology: Whether the prompt lists the scenarios, actions and slot types of the training pools.
        unlabelled: Whether its stages may hear the recordings that the budget did not buy, without transcript
            and labels (`pool.unlabelled()`); on the track `open` alone, and counted apart.
        choose: `choose(pool, budget, rng)` returns the recordings that the budget buys, out of
            `pool.speech()`, which tells texts, languages, durations and speakers; in place of the order by
            hash that all other strategies share.
    """

    name: str
    stages: tuple[Stage, ...] = ()
    summary: str = ""
    source: str = ""
    track: str = "closed"
    ontology: bool = False
    unlabelled: bool = False
    choose: Callable[..., Any] | None = None

    def __post_init__(self) -> None:
        if not (isinstance(self.name, str) and len(self.name) <= 64 and NAME.fullmatch(self.name)):
            shown = repr(self.name)[:80]
            raise DeclarationError(
                "the name of a strategy must have at most 64 lower-case letters, digits, hyphens and dots,"
                f" not {shown}"
            )
        check_types(self, f"the strategy {self.name}", STRATEGY_EXAMPLES)
        if not all(isinstance(stage, Stage) for stage in self.stages):
            raise DeclarationError(f"the stages of {self.name} must be Stage(...) values")
        if self.unlabelled and not (self.track == "open" and self.needs_speech):
            raise DeclarationError(
                f"{self.name} declares unlabelled=True: recordings beyond the budget need track='open', and a"
                " stage that learns from SPEECH"
            )
        if self.choose is not None and not (callable(self.choose) and self.needs_speech):
            raise DeclarationError(
                f"choose of {self.name} must be a function, and one of its stages must learn from SPEECH:"
                " without, there is no clip to choose"
            )
        for number, stage in enumerate(self.stages, 1):
            self._check_beginning(number, stage)
        if sum(stage.share for stage in self.stages) > 1 + 1e-9:
            raise DeclarationError(f"the shares of the stages of {self.name} sum to more than 1")
        if self.track not in ("closed", "open"):
            raise DeclarationError(f"the track of {self.name} must be closed or open, not {self.track!r}")

    def _check_beginning(self, number: int, stage: Stage) -> None:
        """Check that a stage begins from earlier stages, and averages what can be averaged."""
        where = f"stage {number} of {self.name}"
        if stage.start is not None and not 0 <= stage.start < number:
            raise DeclarationError(
                f"{where} starts from stage {stage.start}; it can start from 0 (the base model)"
                + (f" or from the stages 1 to {number - 1} before it" if number > 1 else "")
            )
        if not stage.average:
            return
        strange = [one for one in stage.average if not 1 <= one < number]
        if strange or len(set(stage.average)) < 2 or len(set(stage.average)) != len(stage.average):
            raise DeclarationError(
                f"{where} averages {shown(stage.average)}; an average is of two or more different stages"
                " before it, numbered from 1"
            )
        parts = {one: self._trained_by(one) for one in stage.average}
        first, *others = stage.average
        for other in others:
            if parts[other] != parts[first]:
                raise DeclarationError(
                    f"{where} averages stages {first} and {other}, which do not train the same parts"
                    f" ({_told(parts[first])}; {_told(parts[other])}). Give both the same trains."
                )

    def _trained_by(self, number: int) -> frozenset[str]:
        """All parts that the weights of a stage have learnt, those of the stages before it included."""
        parts: set[str] = set()
        stage = self.stages[number - 1]
        before = stage.average or ((number - 1,) if stage.start is None else (stage.start,))
        for one in before:
            parts |= self._trained_by(one) if one else set()
        own = (stage.trains or ("",)) if stage.share else ()
        return frozenset(parts | set(own))

    @property
    def trains(self) -> tuple[str, ...]:
        """All parts that its stages name."""
        named = {part for stage in self.stages for part in stage.trains}
        return tuple(part for part in PARTS if part in named)

    @property
    def learns_from(self) -> Modality:
        """What any of the stages trains on."""
        every = Modality(0)
        for stage in self.stages:
            every |= stage.learns_from
        return every

    @property
    def needs_speech(self) -> bool:
        """Whether it cannot be run without speech."""
        return SPEECH in self.learns_from


def _told(parts: frozenset[str]) -> str:
    return " and ".join(sorted(part or "all of the track" for part in parts)) or "nothing"
