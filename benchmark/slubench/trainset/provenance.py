"""Checks where examples come from: the pool, or the outputs of the stage's `transform`."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path

from slubench.domain.meaning import as_reply
from slubench.domain.pool import BudgetError, Pool
from slubench.domain.strategy import SPEECH, TEXT, Example, Stage, Strategy
from slubench.domain.utterance import Clip, ClipPart, SpokenClip, Utterance, whole_clip
from slubench.errors import DeclarationError, SlubenchError, shown
from slubench.trainset.exposure import StageExamples


class Provenance:
    """Checks that a stage's examples are made from the pool (RULES.md, "Composed strategies").

    A clip is the named utterance's own. A text is one of the pool's. The target is the utterance's meaning as
    a reply, with or without its transcript, or its transcript. Everything else must be given by the stage's
    `transform(utterance)` for the named utterance.

    Args:
        strategy: Whose stage it is.
        number: Of the stage, from 0.
        pool: What the budget allows.
        unread: Whether the strategy's functions cannot be called here: what a declared transform gave is then
            taken as given.
    """

    def __init__(self, strategy: Strategy, number: int, pool: Pool, unread: bool = False) -> None:
        self.strategy, self.number, self.pool, self.unread = strategy, number, pool, unread
        self._transformed: dict[tuple[str, str], frozenset[str]] = {}

    @property
    def stage(self) -> Stage:
        """The stage."""
        return self.strategy.stages[self.number]

    @property
    def file(self) -> str:
        """The file of its `compose`, empty where it is not known."""
        code = getattr(self.stage.compose, "__code__", None)
        return str(code.co_filename) if code is not None else ""

    @property
    def where(self) -> str:
        """Strategy, stage and file, for messages."""
        place = f" ({Path(self.file).name})" if self.file else ""
        return f"compose of {self.strategy.name}, stage {self.number + 1}{place}"

    @cached_property
    def _utterances(self) -> Mapping[tuple[str, str], Utterance]:
        return {(u.language, u.key): u for u in (*self.pool.speech(), *self.pool.text())}

    @cached_property
    def _unlabelled(self) -> Mapping[tuple[str, str], Clip]:
        return {(u.language, u.key): u.clip for part in (self.pool.unbought or {}).values() for u in part}

    @cached_property
    def _replies(self) -> Mapping[tuple[str, str], frozenset[str]]:
        """What the model replied to questions about each utterance."""
        found: dict[tuple[str, str], frozenset[str]] = {}
        for asked, reply in self.pool.replies.items():
            name = (asked.language, asked.utterance)
            found[name] = found.get(name, frozenset()) | {reply}
        return found

    @cached_property
    def _owners(self) -> Mapping[Clip, Utterance]:
        return {u.clip: u for u in self.pool.speech() if u.clip is not None}

    @cached_property
    def _texts(self) -> frozenset[str]:
        return frozenset(u.text for u in (*self.pool.text(), *self.pool.speech()))

    def check(self, example: Example) -> None:
        """Check that an example is made from the pool.

        Raises:
            BudgetError: It is not; the message names stage, utterance and part.
            DeclarationError: It has no parts, a bad weight, or parts that the stage does not declare.
        """
        self._check_form(example)
        name = f"{shown(example.utterance)} ({shown(example.language)})"
        if (example.language, example.utterance) in self._unlabelled:
            self._check_unlabelled(example, name)
            return
        recorded = [clip for clip in example.clips if not isinstance(clip, SpokenClip)]
        for clip in recorded:
            if whole_clip(clip) not in self._owners:
                raise BudgetError(
                    f"{self.where} used a clip of {name} that is not in the budget {self.pool.budget};"
                    f" pool.speech() has the {len(self._owners)} that are."
                )
        utterance = self._utterances.get((example.language, example.utterance))
        if utterance is None:
            raise BudgetError(f"{self.where} used {name}, which is not in the pool.")
        for clip in example.clips:
            if isinstance(clip, SpokenClip):
                if clip.text != utterance.text and not self._made(clip.text, utterance):
                    raise BudgetError(
                        self._foreign("the synthetic speech", clip.text, name, "its transcript")
                    )
                continue
            owner = self._owners[whole_clip(clip)]
            if (owner.language, owner.id) != (utterance.language, utterance.id):
                raise BudgetError(
                    f"{self.where} used the clip of {shown(owner.key)} for {name}. An example must name the"
                    " utterance of its clip."
                )
        for part in example.parts:
            if isinstance(part, str) and not self._known(part, utterance):
                raise BudgetError(self._foreign("the text", part, name, "a text of the pool"))
        if not own_target(example.target, utterance) and not self._made(example.target, utterance):
            expected = (
                "the utterance's meaning as a reply (Example.written, Example.spoken), nor its transcript"
            )
            raise BudgetError(self._foreign("the target", example.target, name, expected))

    def _check_unlabelled(self, example: Example, name: str) -> None:
        """Check an example of a recording that was not bought: its clip, and what the model replied to it."""
        own = self._unlabelled[example.language, example.utterance]
        replies = self._replies.get((example.language, example.utterance), frozenset())
        if any(whole_clip(clip) != own for clip in example.clips):
            raise BudgetError(f"{self.where}: an example of {name} may hear its own recording alone.")
        for text in (example.target, *(part for part in example.parts if isinstance(part, str))):
            if not (self.unread or text in replies or (text in self._texts and text != example.target)):
                raise BudgetError(
                    f"{self.where}: {shown(text, 60)} of {name} is not what the model replied to it. Of an"
                    " unlabelled recording nothing else is known: take the target from pool.predict."
                )

    def _check_form(self, example: Example) -> None:
        texts = [part for part in example.parts if isinstance(part, str)]
        if not example.parts or len(texts) + len(example.clips) != len(example.parts):
            raise DeclarationError(
                f"{self.where}: the parts of an Example must be texts and clips, at least one."
            )
        if not isinstance(example.target, str):
            raise DeclarationError(
                f"{self.where}: the target of an Example must be text, not {type(example.target).__name__}."
            )
        if not (isinstance(example.weight, int | float) and 0 <= example.weight < math.inf):
            raise DeclarationError(
                f"{self.where}: the weight of an Example must be a number of 0 or more, not"
                f" {shown(example.weight)}."
            )
        recorded = [clip for clip in example.clips if not isinstance(clip, SpokenClip)]
        for clip in example.clips:
            if isinstance(clip, ClipPart) and not 0 <= clip.begin < clip.end <= 1:
                raise DeclarationError(
                    f"{self.where}: a part of a clip is from {shown(clip.begin)} to {shown(clip.end)}; both"
                    " are shares of its length, the first the smaller, as in clip.part(0, 0.5)."
                )
        for found, modality, name in ((texts, TEXT, "text"), (recorded, SPEECH, "a recording")):
            if found and modality not in self.stage.learns_from:
                raise DeclarationError(
                    f"{self.where} used {name}, but the stage only learns from"
                    f" {self.stage.learns_from.name}. Declare Stage(learns_from=TEXT | SPEECH)."
                )

    def _known(self, text: str, utterance: Utterance) -> bool:
        """Whether a text is one of the pool's, words of the utterance's own, or made of it as is declared."""
        own = bool(text.strip()) and f" {text.strip()} " in f" {utterance.text} "
        return own or text in self._texts or self._made(text, utterance)

    def _made(self, text: str, utterance: Utterance) -> bool:
        """Whether the model replied that text to the utterance, or the stage's transform returns it."""
        replies = self._replies.get((utterance.language, utterance.key), frozenset())
        return text in replies or self._derived(text, utterance)

    def _derived(self, text: str, utterance: Utterance) -> bool:
        """Whether the stage's transform returns that text for the utterance."""
        if self.stage.transform is None:
            return False
        key = (utterance.language, utterance.key)
        if self.unread:
            return True
        if key not in self._transformed:
            self._transformed[key] = frozenset(self._transform(utterance))
        return text in self._transformed[key]

    def _transform(self, utterance: Utterance) -> Iterable[str]:
        assert self.stage.transform is not None
        where = f"transform of {self.strategy.name}, stage {self.number + 1}"
        try:
            found = self.stage.transform(utterance)
            texts = None if isinstance(found, str) or found is None else list(found)
        except SlubenchError:
            raise
        except Exception as error:
            raise DeclarationError(
                f"{where} failed on {utterance.key}: {type(error).__name__}: {error}"[:1_000]
            ) from error
        if texts is None or not all(isinstance(text, str) for text in texts):
            raise DeclarationError(f"{where} must return a list of texts for an utterance.")
        return texts

    def _foreign(self, what: str, text: str, name: str, expected: str) -> str:
        return (
            f"{self.where}: {what} {shown(text, 60)} of {name} is neither {expected}"
            + (" nor returned by the stage's transform." if self.stage.transform else ".")
            + " The content of an example must come from the pool or from pool.predict; declare other texts"
            " with Stage(transform=function), whose outputs are stored with the training set."
        )


def own_target(target: str, utterance: Utterance) -> bool:
    """Whether a target is the utterance's meaning as a reply, with or without transcript, or its text."""
    reply = as_reply(utterance.meaning)
    if target in (reply, utterance.text):
        return True
    try:
        content = json.loads(target)
    except (ValueError, RecursionError):
        return False
    if not isinstance(content, dict) or content.pop("transcript", None) != utterance.text:
        return False
    return bool(content == json.loads(reply))


def derived_texts(train_set: Sequence[StageExamples], pool: Pool) -> list[dict[str, str]]:
    """The texts that a `transform` made for a training set, each once, with the originals."""
    utterances = {(u.language, u.key): u for u in (*pool.speech(), *pool.text())}
    texts = frozenset(u.text for u in utterances.values())
    found: dict[tuple[str, str, str], dict[str, str]] = {}
    for stage in train_set:
        for example in stage.examples if stage.stage.transform is not None else ():
            utterance = utterances.get((example.language, example.utterance))
            if utterance is None:
                continue  # a recording without a label has no text to derive from
            made = [part for part in example.parts if isinstance(part, str) and part not in texts]
            made += [example.target] * (not own_target(example.target, utterance))
            for text in made:
                row = {"utterance": utterance.key, "language": utterance.language}
                found.setdefault(
                    (utterance.language, utterance.key, text), {**row, "from": utterance.text, "made": text}
                )
    return list(found.values())
