"""The scores of a file of predictions."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from slubench.metrics.slurp import Breakdown


class Variant(NamedTuple):
    """How answers are compared and which count.

    Attributes:
        normalised: Both sides normalised (ranked), or as published.
        strict: Gold without a prediction is wrong, or skipped as in the published scorer.
    """

    normalised: bool
    strict: bool

    def __str__(self) -> str:
        return ("normalised" if self.normalised else "official") + (", strict" if self.strict else "")


VARIANTS = (Variant(False, False), Variant(False, True), Variant(True, False), Variant(True, True))


@dataclass(frozen=True)
class FileScores:
    """The scores of the predictions that were asked in one way.

    Attributes:
        asked: The way of asking, empty where the file does not tell.
        items: Items of gold.
        missing: Items without a prediction.
        extra: Predictions for nothing in gold.
        doubled: Predictions that a later one of the same item replaces.
        unparsed: Replies that do not parse.
        rows: A measure of a slice and variant each.
        labels: By variant and kind of measure, micro, macro and by label.
    """

    asked: str
    items: int
    missing: int
    extra: int
    doubled: int
    unparsed: int
    rows: list[dict[str, Any]] = field(repr=False)
    labels: dict[Variant, dict[str, Breakdown]] = field(repr=False)

    def to_json(self, *, full: bool) -> dict[str, Any]:
        """All of it for programs; the labels where `full`."""
        content = {one.name: getattr(self, one.name) for one in dataclasses.fields(self)[:-2]}
        content["scores"] = self.rows
        if full:
            content["labels"] = list(self._labels())
        return content

    def _labels(self) -> Iterator[dict[str, Any]]:
        for variant, kinds in self.labels.items():
            for kind, part in kinds.items():
                averages = {"micro": part.micro, "macro": part.macro}
                rows = [("average", name, row) for name, row in averages.items()]
                rows += [("label", name, row) for name, row in part.labels.items()]
                for what, name, row in rows:
                    yield variant._asdict() | {"kind": kind, what: name} | row._asdict()
