"""What the records tell beside the score rows: costs of training, and the strategies' files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from statistics import fmean

from slubench.board.read.records import Records

COSTS = {
    "peak_memory_bytes": "training.peak_memory_bytes",
    "trainable_parameters": "training.trainable_parameters",
}
"""Counts of a cell by the fact of a record that tells them."""


@dataclass(frozen=True)
class CellFacts:
    """Facts of runs, by scores fingerprint.

    Attributes:
        numbers: Those of `COSTS`.
        files: The strategy's file, as the record names it.
    """

    numbers: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)

    def costs(self, fingerprints: Sequence[str]) -> dict[str, float]:
        """The means over runs, of what any of them tells."""
        known = {
            name: [self.numbers[one][name] for one in fingerprints if name in self.numbers.get(one, {})]
            for name in COSTS
        }
        return {name: fmean(values) for name, values in known.items() if values}


def cell_facts(records: Records, fingerprints: Sequence[str]) -> CellFacts:
    """The facts of runs; a number that is none is left out."""
    numbers: dict[str, dict[str, float]] = {}
    for name, fact in COSTS.items():
        for fingerprint, text in records.fact(fact, fingerprints).items():
            try:
                value = float(text)
            except ValueError:
                continue
            if isfinite(value) and value > 0:
                numbers.setdefault(fingerprint, {})[name] = value
    return CellFacts(numbers, records.strategy_files(fingerprints))
