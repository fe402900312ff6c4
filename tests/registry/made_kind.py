"""A kind of declaration that slubench does not have."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Phrase:
    """Something with a name."""

    name: str
