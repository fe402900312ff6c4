"""The meaning of an utterance (scenario, action, entities) and its two text formats.

As a reply it is the one line of JSON of arXiv 2509.15389,
`{"scenario":"alarm","action":"set","entities":[{"time":"eight o'clock"}]}`; as an annotation it is
MASSIVE's `annot_utt`, `wake me at [time : eight o'clock]` (FitzGerald et al. 2022, arXiv 2204.08582).
"""

from __future__ import annotations

import itertools
import json
import re
from dataclasses import dataclass
from typing import NamedTuple

from slubench.domain.strict_json import read_strictly
from slubench.errors import SlubenchError

SLOT = re.compile(r"\[([^\[\]:]+?) : ([^\[\]]*?)\]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_KEYS = {"scenario", "action", "entities"}


class Entity(NamedTuple):
    """An entity: its slot type and the words that fill it."""

    type: str
    filler: str


@dataclass(frozen=True)
class Meaning:
    """The intent and entities of an utterance."""

    scenario: str
    action: str
    entities: tuple[Entity, ...] = ()

    @property
    def intent(self) -> str:
        """Scenario and action joined, as in `alarm_set`."""
        return f"{self.scenario}_{self.action}"


class ReplyError(SlubenchError):
    """A reply that is not the expected JSON."""


class AnnotationError(SlubenchError):
    """An `annot_utt` with invalid brackets."""


def as_reply(meaning: Meaning) -> str:
    """The reply that a model is trained to give: one line of JSON, keys in fixed order, no spaces."""
    return json.dumps(
        {
            "scenario": meaning.scenario,
            "action": meaning.action,
            "entities": [{entity.type: entity.filler} for entity in meaning.entities],
        },
        ensure_ascii=False,
        separators=(",", ":"),
    )


def from_reply(reply: str) -> Meaning:
    """Read a reply strictly: one JSON object with string scenario and action and a list of entities.

    An entity is an object whose every item is a type and its filler, both strings. A strategy may teach its
    model to say what it heard too, as a string `transcript`. Blanks around the object are allowed, anything
    else beside it is not.

    Raises:
        ReplyError: The reply is not such an object; the message says why.
    """
    try:
        content = read_strictly(reply)
    except (ValueError, RecursionError) as error:
        raise ReplyError(f"not JSON: {error}") from None
    if not isinstance(content, dict) or content.keys() - {"transcript"} != _KEYS:
        raise ReplyError('not an object with the keys "scenario", "action" and "entities"')
    if not isinstance(content.get("transcript", ""), str):
        raise ReplyError('"transcript" must be a string')
    scenario, action, entities = content["scenario"], content["action"], content["entities"]
    if not isinstance(scenario, str) or not isinstance(action, str):
        raise ReplyError('"scenario" and "action" must be strings')
    if not isinstance(entities, list):
        raise ReplyError('"entities" must be a list')
    read: list[Entity] = []
    for entity in entities:
        if not isinstance(entity, dict) or not entity:
            raise ReplyError("an entity must be an object with type and filler")
        for slot, filler in entity.items():
            if not isinstance(filler, str):
                raise ReplyError("the filler of an entity must be a string")
            read.append(Entity(slot, filler))
    if any(_SURROGATE.search(text) for text in (scenario, action, *itertools.chain(*read))):
        raise ReplyError("a lone surrogate is not a valid character")
    return Meaning(scenario, action, tuple(read))


def meaning_of(reply: str) -> Meaning | None:
    """The meaning of a reply; None if it is invalid."""
    try:
        return from_reply(reply)
    except ReplyError:
        return None


def transcript_of(reply: str) -> str | None:
    """The transcript in a reply; None if the reply is invalid or has none."""
    if meaning_of(reply) is None:
        return None
    transcript: str | None = json.loads(reply).get("transcript")
    return None if transcript is None or _SURROGATE.search(transcript) else transcript


def from_annotation(annotated: str) -> tuple[str, tuple[Entity, ...]]:
    """Read an `annot_utt`.

    Returns:
        The plain text and the entities in order of appearance.

    Raises:
        AnnotationError: A bracket is left over once all slots are read, or a slot has no type.
    """
    entities = tuple(Entity(slot.strip(), filler.strip()) for slot, filler in SLOT.findall(annotated))
    text = SLOT.sub(lambda match: match.group(2), annotated)
    if "[" in text or "]" in text or not all(entity.type for entity in entities):
        raise AnnotationError(f"unmatched bracket in annot_utt {annotated!r}; expected [type : filler]")
    return text, entities
