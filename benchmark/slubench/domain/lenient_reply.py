"""A lenient reading of replies, which tells how much of what is wrong is format. It is never ranked.

The strict reading (`slubench.domain.meaning.from_reply`) takes one JSON object with the keys asked for and
nothing beside it. What models write that were not trained for it mostly holds the same in other clothes: in
a code fence, with words around it, with numbers as fillers, with keys that nobody asked for, with entities as
`{"type": ..., "filler": ...}`. That is read here. Words that mean something else stay as wrong as they are.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from slubench.domain.meaning import Entity, Meaning

_TYPES = ("type", "slot", "label", "entity", "name")
_FILLERS = ("filler", "value", "text")
_TRIES = 20
"""So many opening braces of a reply are tried; what is nested without end costs no more than that."""
_SURROGATE = re.compile("[\ud800-\udfff]")
# Numbers stay as they are written: 5.30 is no 5.3.
_DECODER = json.JSONDecoder(strict=False, parse_int=str, parse_float=str, parse_constant=str)


def read_leniently(reply: str, strict: Meaning | None) -> Meaning | None:
    """What a reply means where its format is forgiven; None where nothing in it can be read.

    Args:
        reply: As it came.
        strict: What the strict reading gives, which stays where it holds no entity in the other form.
    """
    if strict is not None and not _told_apart({entity.type for entity in strict.entities}):
        return strict
    found = next(filter(None, map(_meaning, _objects(reply))), None)
    return strict if found is None else found


def _told_apart(names: Collection[str]) -> bool:
    """Whether type and filler of an entity stand under a key each."""
    return any(name in names for name in _TYPES) and any(name in names for name in _FILLERS)


def _objects(reply: str) -> Iterator[Mapping[str, Any]]:
    """The JSON objects that stand in a reply, in order; those within another are not told again."""
    at = reply.find("{")
    for _ in range(_TRIES):
        if at < 0:
            return
        try:
            content, end = _DECODER.raw_decode(reply, at)
        except (ValueError, RecursionError):
            end = at + 1
        else:
            yield content
        at = reply.find("{", end)


def _meaning(content: Mapping[str, Any]) -> Meaning | None:
    scenario, action = _text(content.get("scenario")), _text(content.get("action"))
    intent = _text(content.get("intent"))
    if (scenario is None or action is None) and intent is not None and "_" in intent:
        scenario, _, action = intent.partition("_")
    if scenario is None or action is None:
        return None
    entities = _entities(content.get("entities"))
    if entities is None or any(_SURROGATE.search(part) for part in (scenario, action)):
        return None
    return Meaning(scenario, action, entities)


def _entities(value: Any) -> tuple[Entity, ...] | None:
    """Entities in whatever of the usual forms; None where one of them is in no such form."""
    if value is None:
        return ()
    listed = value if isinstance(value, list) else [value]
    found: list[Entity] = []
    for one in listed:
        if not isinstance(one, dict):
            return None
        for slot, filler in _pairs(one):
            for part in filler if isinstance(filler, list) else [filler]:
                if part is None:
                    continue
                if (text := _text(part)) is None or _SURROGATE.search(slot + text):
                    return None
                found.append(Entity(slot, text))
    return tuple(found)


def _pairs(entity: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """A type and its filler told apart under two keys, else each key with its value."""
    if not _told_apart(entity.keys()):
        return list(entity.items())
    kind = entity[next(name for name in _TYPES if name in entity)]
    filler = entity[next(name for name in _FILLERS if name in entity)]
    return [(kind, filler)] if isinstance(kind, str) else list(entity.items())


def _text(value: Any) -> str | None:
    if isinstance(value, bool):
        return str(value).lower()
    return value if isinstance(value, str) else None
