"""Commands: a meaning is drawn once and can be said in every language; held-out material is marked."""

from __future__ import annotations

import hashlib
import random
import re
from dataclasses import dataclass
from functools import cache
from typing import Literal

from tools.mini.grammar.language import LANGUAGES, entities_of, language, strip_annotation
from tools.mini.grammar.ontology import SLOT_OF_KIND, action_of, scenario_of

MAX_WORDS = 12
BEFORE_SHARE = 0.30
AFTER_SHARE = 0.18

_PLACE = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class DrawnMeaning:
    """What a command says, in no language: a template and the positions of its fillers, by kind.

    Attributes:
        intent: for example `alarm_set`.
        template: position of the template within its intent.
        choices: for each kind in the template, the positions of its fillers, in order.
        before: position of the polite opening, or None.
        after: position of the polite ending, or None.
    """

    intent: str
    template: int
    choices: tuple[tuple[str, tuple[int, ...]], ...]
    before: int | None = None
    after: int | None = None

    @property
    def held_out(self) -> bool:
        """Whether the template or any filler is kept from training and validation."""
        return template_held_out(self.template) or any(
            filler_held_out(kind, position) for kind, positions in self.choices for position in positions
        )


@dataclass(frozen=True)
class Sentence:
    """A command in one language.

    Attributes:
        language: `de`, `fr` or `en`.
        annotated: the sentence in MASSIVE's notation, `wecke mich um [time : fünf uhr]`.
        scenario: MASSIVE's scenario.
        action: MASSIVE's action.
        template: stable name of the template, the same in every language, `alarm_set.3`.
        held_out: whether the template or any filler is kept from training and validation.
    """

    language: str
    annotated: str
    scenario: str
    action: str
    template: str
    held_out: bool

    @property
    def text(self) -> str:
        """The words as they are spoken."""
        return strip_annotation(self.annotated)

    @property
    def intent(self) -> str:
        """Scenario and action in one word."""
        return f"{self.scenario}_{self.action}"

    @property
    def entities(self) -> tuple[tuple[str, str], ...]:
        """The (slot, filler) pairs in the order of the sentence."""
        return entities_of(self.annotated)


def template_held_out(position: int) -> bool:
    """Whether templates at this position occur in the test alone: every fourth."""
    return position % 4 == 3


def filler_held_out(kind: str, position: int) -> bool:
    """Whether a filler occurs in the test alone: three in ten; words that are no entity never."""
    return SLOT_OF_KIND[kind] is not None and position % 10 in (2, 5, 8)


@cache
def _kinds(intent: str, template: int) -> tuple[str, ...]:
    return tuple(sorted(_PLACE.findall(language(LANGUAGES[0]).templates[intent][template])))


@cache
def _most_words(intent: str, template: int) -> int:
    return max(
        len(_PLACE.sub("", spoken.templates[intent][template]).split())
        + sum(
            max(len(filler.spoken.split()) for filler in spoken.fillers[kind])
            for kind in _kinds(intent, template)
        )
        for spoken in map(language, LANGUAGES)
    )


def draw_meaning(rng: random.Random, *, held_out: bool | None = None) -> DrawnMeaning:
    """Draw a meaning that takes at most `MAX_WORDS` words in every language.

    Intents are equally likely, but for what length rules out.

    Args:
        rng: the source of chance.
        held_out: True for held-out meanings alone, False for none of them, None for either.
    """
    source = language(LANGUAGES[0])
    while True:
        intent = rng.choice(list(source.templates))
        template = rng.randrange(len(source.templates[intent]))
        if held_out is False and template_held_out(template):
            continue
        kinds = _kinds(intent, template)
        choices = []
        for kind in dict.fromkeys(kinds):
            allowed = [
                position
                for position in range(len(source.fillers[kind]))
                if held_out is not False or not filler_held_out(kind, position)
            ]
            choices.append((kind, tuple(rng.sample(allowed, kinds.count(kind)))))
        before = rng.randrange(len(source.before)) if rng.random() < BEFORE_SHARE else None
        after = rng.randrange(len(source.after)) if rng.random() < AFTER_SHARE else None
        meaning = DrawnMeaning(intent, template, tuple(choices), before, after)
        if held_out is not None and meaning.held_out is not held_out:
            continue
        if _most_words(intent, template) <= MAX_WORDS or all(
            len(say(meaning, code).text.split()) <= MAX_WORDS for code in LANGUAGES
        ):
            return meaning


def say(meaning: DrawnMeaning, code: str) -> Sentence:
    """Say a meaning in a language; politeness is dropped where it would exceed `MAX_WORDS` words."""
    spoken = language(code)
    waiting = {kind: list(positions) for kind, positions in meaning.choices}

    def fill(match: re.Match[str]) -> str:
        kind = match[1]
        return spoken.fillers[kind][waiting[kind].pop(0)].annotated(SLOT_OF_KIND[kind])

    body = _PLACE.sub(fill, spoken.templates[meaning.intent][meaning.template])
    annotated = body
    if meaning.before is not None:
        annotated = f"{spoken.before[meaning.before]} {annotated}"
    if meaning.after is not None:
        annotated = f"{annotated} {spoken.after[meaning.after]}"
    if len(strip_annotation(annotated).split()) > MAX_WORDS:
        annotated = body
    return Sentence(
        language=code,
        annotated=annotated,
        scenario=scenario_of(meaning.intent),
        action=action_of(meaning.intent),
        template=f"{meaning.intent}.{meaning.template}",
        held_out=meaning.held_out,
    )


def command(code: str, rng: random.Random, *, held_out: bool | None = None) -> Sentence:
    """Draw a command in a language; `held_out` as in `draw_meaning`."""
    return say(draw_meaning(rng, held_out=held_out), code)


def part(text: str) -> Literal["pretraining", "benchmark"]:
    """Say by a hash of the sentence which side may use it; no sentence is ever on both sides."""
    return "benchmark" if hashlib.sha256(text.encode()).digest()[0] % 2 else "pretraining"
