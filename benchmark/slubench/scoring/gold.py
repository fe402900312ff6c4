"""Gold to score predictions against."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from slubench.domain.meaning import Meaning
from slubench.errors import DataError
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
        locales: Those of the items, where they are known. Of several the items' names begin with theirs.
    """

    place: str
    items: Mapping[str, GoldItem]
    aliases: Mapping[str, str]
    keys: tuple[str, ...]
    locales: frozenset[str] = frozenset()

    def find(self, name: str, locale: str = "") -> str | None:
        """The item of that name, or None.

        Args:
            name: The name in the predictions.
            locale: The prediction's locale or language, empty if unknown.

        Raises:
            DataError: Gold has several locales and the prediction has none.
        """
        if len(self.locales) > 1 and name not in self.items:
            if not locale:
                raise DataError(
                    f"{self.place} contains {' and '.join(sorted(self.locales))}, which share their ids, and"
                    f' this prediction has no locale. Add a "locale" such as "{min(self.locales)}" to each'
                    " row, or score one locale at a time."
                )
            own = next((own for own in self.locales if same_locale(own, locale)), None)
            name = in_locale(own, name) if own else ""
            return name if name in self.items else None
        if locale and self.locales and not any(same_locale(own, locale) for own in self.locales):
            return None
        return name if name in self.items else self.aliases.get(name)


def in_locale(locale: str, name: str) -> str:
    """What an item is called where several locales share the names of their items."""
    return f"{locale}/{name}"


def same_locale(one: str, other: str) -> bool:
    """Whether two name the same locale; a language alone stands for any of its locales."""
    first, second = (name.replace("_", "-").lower() for name in (one, other))
    if "-" in first and "-" in second:
        return first == second
    return first.partition("-")[0] == second.partition("-")[0]
