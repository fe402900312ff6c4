"""A metric: what is counted for each prediction, and the value computed from the sums of the counts.

Every number on the leaderboard is a function of sums over utterances. So intervals, slices and paired
comparisons of any metric come from the sums that are kept for each sentence, and no reply is read twice.

    FIRST_ENTITY = Metric(
        name="first_entity",
        title="First entity",
        counting=Counting(name="first_entity", columns=("items", "right"), count=count_first_entity),
        measure=lambda sums: sums[..., 1] / sums[..., 0],
    )
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from slubench.domain.declared_types import check_types
from slubench.errors import DeclarationError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Of = Literal["meanings", "transcripts", "labels", "readings"]
"""What is compared: meanings (None for an invalid reply), transcripts, labels of gold tokens, or with gold
meanings the pairs of the strict and the lenient reading."""
Form = Literal["points", "percent"]
"""How a value is shown: in points out of 100, for scores, or in percent, for error rates."""

_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")


@dataclass(frozen=True)
class Counting:
    """What is counted for each prediction; metrics that share a counting share the work and the sums.

    Attributes:
        name: Lower case, digits and underscores. The kept sums bear it.
        columns: The names of the counts, K of them.
        count: From gold and predicted items, in one order, to an array of shape (n, K). Predicted is None
            where there is nothing to compare: a reply that does not parse, an item without labels.
        of: What the items are.
    """

    name: str
    columns: tuple[str, ...]
    count: Callable[[Sequence[Any], Sequence[Any]], NDArray[np.float64]]
    of: Of = "meanings"

    def __post_init__(self) -> None:
        check_types(self, f"the counting {self.name}")
        if not _NAME.fullmatch(self.name):
            raise DeclarationError(
                "the name of a counting may only contain lower-case letters, digits and underscores:"
                f" {self.name!r}"
            )
        if not self.columns or len(set(self.columns)) < len(self.columns):
            raise DeclarationError(f"counting {self.name}: columns must have different names, at least one")


@dataclass(frozen=True, kw_only=True)
class Metric:
    """A number computed from summed counts.

    Attributes:
        name: Lower case, digits and underscores; score rows bear it.
        title: As it is read in tables.
        counting: What is counted.
        measure: From sums of shape (..., K) to values of the leading shape; 0 where nothing can be measured.
        about: What it means, one line.
        needs_slots: Whether it means something only where the corpus knows the slots.
        more_is_better: Whether the larger value is the better one.
        headline: Whether it stands in the short tables, is told of every intent, and has its replicates kept,
            from which the page makes intervals over seeds.
        form: How it is shown.
        order: Metrics stand in this order; those of one number, by name.
    """

    name: str
    title: str
    counting: Counting
    measure: Callable[[NDArray[np.float64]], NDArray[np.float64]]
    about: str = ""
    needs_slots: bool = True
    more_is_better: bool = True
    headline: bool = False
    form: Form = "points"
    order: int = 100

    def __post_init__(self) -> None:
        check_types(self, f"the metric {self.name}")
        if not _NAME.fullmatch(self.name):
            raise DeclarationError(
                "the name of a metric may only contain lower-case letters, digits and underscores:"
                f" {self.name!r}"
            )
        if not self.title:
            raise DeclarationError(f"metric {self.name} has no title")
