"""Reference lines of a panel: measured but not ranked (RULES.md, "Reference rows")."""

from __future__ import annotations

from typing import NamedTuple

from slubench.board.panel import TEXT_ONLY, Cell, Estimate, Panel
from slubench.board.text import clipped

OTHER_INPUTS = {"text": "gold transcript", "asr": "ASR transcript"}
"""The text that text-only is evaluated on in place of the recording."""


class Reference(NamedTuple):
    """A horizontal line in a plot.

    Attributes:
        name: As it is written beside the line.
        input: What the model was given: `speech`, `text` or `asr`.
        cell: What was measured.
        estimate: Its value.
    """

    name: str
    input: str
    cell: Cell
    estimate: Estimate


def references_of(panel: Panel, metric: str) -> list[Reference]:
    """Measured references: strategies without speech, and text-only evaluated on transcripts."""
    found = []
    for cell in panel.cells:
        if not cell.counts.get("clip_exposures") and (estimate := cell.estimate(metric)) is not None:
            found.append(Reference(_name(panel, cell), "speech", cell, estimate))
    alone = panel.reading_alone()
    for input_kind, read in OTHER_INPUTS.items():
        if alone is not None and (estimate := alone.estimate(metric, input_kind)) is not None:
            found.append(Reference(f"{read} \N{RIGHTWARDS ARROW} {TEXT_ONLY}", input_kind, alone, estimate))
    return found


def _name(panel: Panel, cell: Cell) -> str:
    """Label of a reference; says whether text-only had as many updates as strategies with speech."""
    updates = {other.counts.get("updates") for other in panel.cells if other.uses_speech}
    matched = cell.strategy == TEXT_ONLY and cell.counts.get("updates") == max(
        (count for count in updates if count is not None), default=None
    )
    return f"{clipped(cell.strategy, 24)}{', matched updates' if matched else ''}"
