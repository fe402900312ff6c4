"""The lists above the tables by which a reader filters rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from slubench.board.panel import Panel
from slubench.board.text import budget, clipped, language


@dataclass(frozen=True)
class Choice:
    """A list with one choice.

    Attributes:
        name: As it stands in the address.
        title: As it is read.
        of: Whether it chooses panels or rows.
        options: Value and text, in order.
    """

    name: str
    title: str
    of: Literal["panel", "row"]
    options: tuple[tuple[str, str], ...]


def choices_of(panels: Sequence[Panel]) -> list[Choice]:
    """The lists with more than one entry."""
    cells = [cell for panel in panels for cell in panel.cells]
    budgets = sorted({(cell.share, budget(cell.speech) if cell.uses_speech else "0") for cell in cells})
    made = [
        Choice("task", "Task", "panel", _plain(sorted({panel.task for panel in panels}))),
        Choice("language", "Language", "panel", _named(sorted({panel.test_in for panel in panels}))),
        Choice("model", "Model", "panel", _plain(sorted({panel.setting.model for panel in panels}))),
        Choice("edition", "Edition", "panel", _plain(sorted({panel.setting.edition for panel in panels}))),
        Choice("speech", "Speech", "row", _plain(dict.fromkeys(name for _, name in budgets))),
        Choice("proof", "Tier", "row", _proofs({cell.tier for cell in cells})),
    ]
    return [choice for choice in made if len(choice.options) > 1]


def _plain(values: Iterable[str]) -> tuple[tuple[str, str], ...]:
    return tuple((clipped(value), clipped(value, 40)) for value in values)


def _named(codes: Iterable[str]) -> tuple[tuple[str, str], ...]:
    return tuple((clipped(code), clipped(language(code), 40)) for code in codes)


def _proofs(tiers: set[str]) -> tuple[tuple[str, str], ...]:
    both = (("verified", "verified"), ("unverified", "not verified")) if "claimed" in tiers else ()
    return (*both, *_plain(sorted(tiers)))
