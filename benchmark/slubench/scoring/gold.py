"""Gold to score predictions against."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from slubench.domain.meaning import Meaning
from slubench.metrics.tokens import Labelled

RECORDINGS = ("file", "utterance", "id")
SENTENCES = ("slurp_id", "utterance", "id")


@dataclass(frozen=True)
class GoldItem:
    """The gold of one test item.

    Attributes:
        sentence: The sentence it is of: the cluster of intervals.
        text: The transcript.
        meaning: Scenario, action and entities.
        columns: The slices it is in.
        labelled: Its tokens with their labels, where gold has them.
        slots_known: Whether gold knows the slots.
    """

    sentence: str
    text: str
    meaning: Meaning
    columns: Mapping[str, str]
    labelled: Labelled | None = None
    slots_known: bool = True


@dataclass(frozen=True)
class GoldSet:
    """The gold of a test set.

    Attributes:
        place: Where they are from, for people.
        items: By name.
        aliases: Other names that predictions may use for items.
        keys: Columns in which predictions may name an item.
    """

    place: str
    items: Mapping[str, GoldItem]
    aliases: Mapping[str, str]
    keys: tuple[str, ...]

    def find(self, name: str) -> str | None:
        """The item of that name, or None."""
        return name if name in self.items else self.aliases.get(name)
