"""Runs of a sweep that failed, while the others went on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from slubench.errors import SlubenchError

if TYPE_CHECKING:
    from slubench.pipeline.run import Outcome


class FailedRuns(SlubenchError):
    """Some runs of several failed.

    Attributes:
        outcomes: The runs that are scored.
    """

    def __init__(self, outcomes: Sequence[Outcome], failures: Sequence[tuple[str, SlubenchError]]) -> None:
        self.outcomes = tuple(outcomes)
        reasons: dict[str, list[str]] = {}
        for name, error in failures:
            reasons.setdefault(str(error), []).append(name)
        listed = "\n".join(f"  {', '.join(names)}: {reason}" for reason, names in reasons.items())
        super().__init__(
            f"{len(failures)} of {len(failures) + len(outcomes)} runs failed, the others are scored:\n"
            f"{listed}\n"
            "The same command tries these again and finds the others."
        )
