"""SLU-F1 on slices of the test set: seen and unseen sentences and speakers, and the corpus's columns."""

from collections.abc import Sequence
from typing import NamedTuple

from slubench.board.panel import Cell, Estimate, Panel
from slubench.board.view import Column, Table, View

MOST = 400  # rows: beyond, the finest columns are left to `slubench compare --by`
KINDS = 12  # values of a column that is shown
EMPTY = {("entities", "none")}  # nothing to find, so that SLU-F1 is 0 by definition


class SliceRow(NamedTuple):
    """A cell on one slice."""

    strategy: str
    speech: str
    share: float
    uses_speech: bool
    by: str
    name: str
    estimate: Estimate
    whole: float | None


def rows_of(panel: Panel) -> Sequence[SliceRow]:
    """One row for each cell and slice, grouped by column."""
    kinds: dict[str, set[str]] = {}
    for cell in panel.cells:
        for by, name in cell.slices:
            kinds.setdefault(by, set()).add(name)
    rows = [
        SliceRow(
            cell.strategy,
            cell.speech,
            cell.share,
            cell.uses_speech,
            by,
            name,
            estimate,
            less_whole(cell, estimate),
        )
        for by, names in sorted(kinds.items())
        if len(names) <= KINDS
        for name in sorted(names)
        if (by, name) not in EMPTY
        for cell in panel.cells
        if (estimate := cell.slices.get((by, name))) is not None
    ]
    return rows[:MOST]


def less_whole(cell: Cell, estimate: Estimate) -> float | None:
    """A slice's score minus that of the whole test set."""
    whole = cell.estimate("slu_f1")
    return None if whole is None else estimate.value - whole.value


SLICES = View(
    name="slices",
    title="Slices of the test set",
    order=14,
    note="SLU-F1 on slices of the test set with speech input; undefined for sentences without entities. For "
    "several seeds, the range from lowest to highest is shown, which is not an interval; for one trained "
    "model, the 95 % interval of test sampling.",
    folded=True,
    shows=Table(
        rows=rows_of,
        columns=(
            Column(title="Strategy", of=lambda row: row.strategy, form="text", group=""),
            Column(title="Speech", of=lambda row: row.share, form="budget", group="", rising=True),
            Column(title="Column", of=lambda row: row.by, form="text", group=""),
            Column(title="Slice", of=lambda row: row.name, form="text", group=""),
            Column(title="SLU-F1", of=lambda row: row.estimate, form="points", group="", drawn=True),
            Column(
                title="Against the whole test set",
                of=lambda row: row.whole,
                form="difference",
                group="",
                about="this slice minus the whole test set",
            ),
        ),
    ),
)
