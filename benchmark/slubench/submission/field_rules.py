"""Rules for a stranger's JSON: type, range, length and characters of values, and the names it may have."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from slubench.errors import shown

Fault: TypeAlias = tuple[str, str]
"""Where, as in `ledger.updates`, and what is wrong there."""


@dataclass(frozen=True)
class Text:
    """A text of printable characters: none controls a terminal, hides, or turns the direction of reading.

    Attributes:
        expected: What it is, for messages.
        most: Characters that it may have.
        pattern: What it must match in full; empty for any printable text.
    """

    expected: str
    most: int
    pattern: str = ""

    def faults(self, value: object, name: str) -> Iterator[Fault]:
        """What is wrong with a value."""
        fits = isinstance(value, str) and len(value) <= self.most and value.isprintable()
        if not fits or (self.pattern and not re.fullmatch(self.pattern, str(value))):
            yield name, f"is {shown(value)}, expected {self.expected}"


@dataclass(frozen=True)
class Number:
    """A finite number within bounds.

    Attributes:
        low: The least that it may be.
        high: The most.
        whole: Whether it is an integer.
    """

    low: float = 0
    high: float = 1e18
    whole: bool = False

    def faults(self, value: object, name: str) -> Iterator[Fault]:
        """What is wrong with a value."""
        kind = int if self.whole else (int, float)
        fits = isinstance(value, kind) and not isinstance(value, bool)
        # What is no number at all is in no range either.
        if not fits or not self.low <= value <= self.high:  # type: ignore[operator]
            what = "an integer" if self.whole else "a number"
            yield name, f"is {shown(value)}, expected {what} from {self.low:g} to {self.high:g}"


@dataclass(frozen=True)
class Flag:
    """True or false."""

    def faults(self, value: object, name: str) -> Iterator[Fault]:
        """What is wrong with a value."""
        if not isinstance(value, bool):
            yield name, f"is {shown(value)}, expected true or false"


@dataclass(frozen=True)
class Listed:
    """A list.

    Attributes:
        of: The rule of its items.
        most: Items that it may have.
    """

    of: Rule
    most: int

    def faults(self, value: object, name: str) -> Iterator[Fault]:
        """What is wrong with a value."""
        if not isinstance(value, list | tuple) or len(value) > self.most:
            yield name, f"is {shown(value)}, expected a list of at most {self.most:,}"
            return
        for number, item in enumerate(value, 1):
            yield from self.of.faults(item, f"{name}, item {number},")


@dataclass(frozen=True)
class Mapped:
    """An object whose keys are not known beforehand.

    Attributes:
        key: The rule of its keys.
        of: The rule of its values.
        most: Keys that it may have.
    """

    key: Text
    of: Rule
    most: int = 100

    def faults(self, value: object, name: str) -> Iterator[Fault]:
        """What is wrong with a value."""
        if not isinstance(value, dict) or len(value) > self.most:
            yield name, f"is {shown(value)}, expected an object of at most {self.most} keys"
            return
        for key, item in value.items():
            if any(self.key.faults(key, "")):
                yield name, f"has the key {shown(key)}, expected {self.key.expected}"
            else:
                yield from self.of.faults(item, f"{name}.{key}")


@dataclass(frozen=True)
class Either:
    """One of several.

    Attributes:
        rules: What it may be.
        none: Whether it may be null.
    """

    rules: tuple[Rule, ...]
    none: bool = False

    def faults(self, value: object, name: str) -> Iterator[Fault]:
        """What is wrong with a value."""
        found = [list(rule.faults(value, name)) for rule in self.rules]
        if all(found) and not (value is None and self.none):
            yield from found[0]


@dataclass(frozen=True)
class Fields:
    """An object of known names.

    Attributes:
        known: The rule of each.
        needed: Those that must be there.
        closed: Whether other names are faults; else they are left out by `known_fields`.
    """

    known: Mapping[str, Rule]
    needed: frozenset[str] = field(default_factory=frozenset)
    closed: bool = True

    def faults(self, value: object, name: str) -> Iterator[Fault]:
        """What is wrong with a value."""
        if not isinstance(value, dict):
            yield name, f"is {shown(value)}, expected an object"
            return
        inside = f"{name}." if name else ""
        for key in self.needed - value.keys():
            yield f"{inside}{key}", "is missing"
        for key, item in value.items():
            rule = self.known.get(key)
            if rule is not None:
                yield from rule.faults(item, f"{inside}{key}")
            elif self.closed:
                yield inside + shown(key), "is not a known field"


Rule: TypeAlias = Text | Number | Flag | Listed | Mapped | Either | Fields


def known_fields(value: Any, rule: Rule) -> Any:
    """A value without the names that its rule does not know."""
    if isinstance(rule, Fields) and isinstance(value, dict):
        return {key: known_fields(item, rule.known[key]) for key, item in value.items() if key in rule.known}
    if isinstance(rule, Listed) and isinstance(value, list | tuple):
        return [known_fields(item, rule.of) for item in value]
    return value
