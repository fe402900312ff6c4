"""One language of the grammar, read from its TOML file: fillers, templates, politeness, everyday words."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from tools.mini.grammar.ontology import SLOT_OF_KIND

LANGUAGES: tuple[str, ...] = ("de", "fr", "en")

_PREFIX = re.compile(r"\(([^)]*)\) *")
_ENTITY = re.compile(r"\[([^\[\]:]+?) : ([^\[\]]*?)\]")


@dataclass(frozen=True)
class Filler:
    """One way to fill a slot: the words of the entity and those spoken before it, outside the entity."""

    before: str
    words: str

    @property
    def spoken(self) -> str:
        """The filler as it is said."""
        return f"{self.before} {self.words}".strip()

    def annotated(self, slot: str | None) -> str:
        """The filler in MASSIVE's notation: `im [house_place : flur]`."""
        return self.spoken if slot is None else f"{self.before} [{slot} : {self.words}]".strip()


@dataclass(frozen=True)
class Everyday:
    """Material of sentences that are no commands."""

    subjects: tuple[str, ...]
    verbs: tuple[str, ...]
    objects: tuple[str, ...]
    adverbs: tuple[str, ...]
    words: tuple[str, ...]


@dataclass(frozen=True)
class Language:
    """All that the grammar says in one language; lists are aligned by position across the languages."""

    code: str
    before: tuple[str, ...]
    after: tuple[str, ...]
    fillers: dict[str, tuple[Filler, ...]]
    templates: dict[str, tuple[str, ...]]
    everyday: Everyday

    def command_words(self) -> frozenset[str]:
        """The words that commands are made of."""
        texts = [*self.before, *self.after]
        texts += [filler.spoken for fillers in self.fillers.values() for filler in fillers]
        texts += [re.sub(r"\{\w+\}", "", t) for templates in self.templates.values() for t in templates]
        return frozenset(word for text in texts for word in text.split())

    def everyday_words(self) -> frozenset[str]:
        """The words of the generic sentences' own material."""
        everyday = self.everyday
        parts = (everyday.subjects, everyday.verbs, everyday.objects, everyday.adverbs, everyday.words)
        return frozenset(word for part in parts for text in part for word in text.split())


def _items(line: str) -> tuple[str, ...]:
    return tuple(item.strip() for item in line.split(","))


def _filler(item: str) -> Filler:
    match = _PREFIX.match(item)
    return Filler(match.group(1), item[match.end() :]) if match else Filler("", item)


def _times(table: dict[str, str]) -> tuple[Filler, ...]:
    hours, bare, forms = _items(table["hours"]), _items(table["bare"]), _items(table["forms"])
    return tuple(
        Filler("", form.format(hour=hour, bare=bare[n], next=bare[(n + 1) % len(bare)]))
        for n, hour in enumerate(hours)
        for form in forms
    )


@cache
def language(code: str) -> Language:
    """Read a language's file once.

    Raises:
        KeyError: the grammar has no such language, or a file names a kind the ontology lacks.
    """
    if code not in LANGUAGES:
        raise KeyError(f"the mini grammar speaks {', '.join(LANGUAGES)}, not {code!r}")
    table: dict[str, Any] = tomllib.loads((files(__package__) / f"{code}.toml").read_text(encoding="utf-8"))
    fillers = {kind: tuple(map(_filler, _items(line))) for kind, line in table["fillers"].items()}
    fillers["time"] = _times(table["time"])
    unknown = fillers.keys() ^ SLOT_OF_KIND.keys()
    if unknown:
        raise KeyError(f"{code}.toml and the ontology differ in the kinds {sorted(unknown)}")
    return Language(
        code=code,
        before=_items(table["polite"]["before"]),
        after=_items(table["polite"]["after"]),
        fillers=fillers,
        templates={intent: tuple(lines) for intent, lines in table["templates"].items()},
        everyday=Everyday(**{name: _items(line) for name, line in table["generic"].items()}),
    )


def lexicon(code: str) -> frozenset[str]:
    """Return every word that can occur in a command or a generic sentence of a language."""
    spoken = language(code)
    return spoken.command_words() | spoken.everyday_words()


def strip_annotation(annotated: str) -> str:
    """Return the plain text of a sentence in MASSIVE's notation."""
    return _ENTITY.sub(r"\2", annotated)


def entities_of(annotated: str) -> tuple[tuple[str, str], ...]:
    """Return the (slot, filler) pairs of a sentence in MASSIVE's notation, in order."""
    return tuple((match[1], match[2]) for match in _ENTITY.finditer(annotated))
