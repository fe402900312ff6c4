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
from slubench.errors import DeclarationError

NAME = re.compile(r"[a-z0-9]+(?:[-.][a-z0-9]+)*")


class Modality(enum.Flag):
    """What a stage trains on; `TEXT | SPEECH` mixes the two."""

    TEXT = enum.auto()
    SPEECH = enum.auto()


TEXT = Modality.TEXT
SPEECH = Modality.SPEECH
STAGE_EXAMPLES = {"learns_from": "TEXT, SPEECH or TEXT | SPEECH (from slubench import TEXT)"}
STRATEGY_EXAMPLES = {"stages": "a tuple of stages, as in (Stage(learns_from=TEXT),)"}
"""What messages on wrong types name, by field."""


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
    """

    learns_from: Modality
    share: float = 1.0
    rate: float = 1.0
    passes: float | None = None
    compose: Callable[..., Any] | None = None
    objective: Callable[..., Any] | None = None
    transform: Callable[..., Any] | None = None

    def __post_init__(self) -> None:
        check_types(
            self, "a stage", {"learns_from": "TEXT, SPEECH or TEXT | SPEECH (from slubench import TEXT)"}
        )
        check_takes(self.compose, "compose", "pool", "rng")
        check_takes(self.objective, "objective", "model", "batch")
        check_takes(self.transform, "transform", "utterance")
        if not self.learns_from:
            raise DeclarationError("a stage must learn from TEXT, SPEECH or TEXT | SPEECH")
        if not 0 < self.share <= 1:
            raise DeclarationError(f"the share of a stage must be above 0 and at most 1, not {self.share!r}")
        if not 0 < self.rate <= 10:
            raise DeclarationError(
                "the rate of a stage multiplies the base rate and must be above 0 and"
                f" at most 10, not {self.rate!r}"
            )
        if self.passes is not None and not self.passes > 0:
            raise DeclarationError(f"the passes of a stage must be above 0, not {self.passes!r}")
        if self.transform is not None and self.compose is None:
            raise DeclarationError("a stage with a transform needs a compose")


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
    """

    name: str
    stages: tuple[Stage, ...] = ()
    summary: str = ""
    source: str = ""
    track: str = "closed"
    ontology: bool = False

    def __post_init__(self) -> None:
        if not (isinstance(self.name, str) and len(self.name) <= 64 and NAME.fullmatch(self.name)):
            shown = repr(self.name)[:80]
            raise DeclarationError(
                "the name of a strategy must have at most 64 lower-case letters, digits, hyphens and dots,"
                f" not {shown}"
            )
        check_types(
            self,
            f"the strategy {self.name}",
            {"stages": "a tuple of stages, as in (Stage(learns_from=TEXT),)"},
        )
        if not all(isinstance(stage, Stage) for stage in self.stages):
            raise DeclarationError(f"the stages of {self.name} must be Stage(...) values")
        if sum(stage.share for stage in self.stages) > 1 + 1e-9:
            raise DeclarationError(f"the shares of the stages of {self.name} sum to more than 1")
        if self.track not in ("closed", "open"):
            raise DeclarationError(f"the track of {self.name} must be closed or open, not {self.track!r}")

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
