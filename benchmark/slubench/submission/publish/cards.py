"""The public form of a card: without local paths and duplicate fields, with a shorter curve."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Any

from slubench.errors import DataError
from slubench.registry.adapters import Adapter, card_text
from slubench.runtime.files import write_text
from slubench.scoring.record import thinned
from slubench.submission.published_fields import card_faults, public_content

POINTS = 20
"""Points of a published curve; the run's record has more of them."""

_TWICE = ("name", "model", "track", "seed", "recipe")
_WEIGHTS = ("repository", "revision")


def write_public_card(card: Adapter, path: Path) -> None:
    """Write the public form of a card.

    Args:
        card: The card.
        path: The file.

    Raises:
        DataError: A field of it is not what it may be.
    """
    content = public_content(card)
    if faults := [f"{name} {fault}" for name, fault in islice(card_faults(content), 3)]:
        raise DataError(f"The card of {card.name} can't be published: {'; '.join(faults)}.")
    # What is zero or empty is so by default.
    content["ledger"] = {name: value for name, value in content["ledger"].items() if value}
    content["training"] = _training(content["training"])
    write_text(path, card_text(content))


def _training(training: dict[str, Any]) -> dict[str, Any]:
    """What was measured, without the facts that the card itself tells."""
    left_out = set(_TWICE)
    # A folder of the machine; which weights it held is told by the card's digest.
    if not training.get("revision"):
        left_out.update(_WEIGHTS)
    told = {name: value for name, value in training.items() if name not in left_out}
    if told.get("curve"):
        points = thinned(told["curve"], POINTS)
        told["curve"] = [{"update": update, "loss": round(loss, 4)} for update, loss in points]
    return told
