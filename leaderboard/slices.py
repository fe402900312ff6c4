"""SLU-F1 on parts of the test: sentences and speakers seen or not, and by the corpus's columns."""

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
    """A row a cell and slice, slices of one column together."""
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
    """A slice's score minus that of the whole test."""
    whole = cell.estimate("slu_f1")
    return None if whole is None else estimate.value - whole.value


SLICES = View(
    name="slices",
    title="Slices of the test",
    order=14,
    note="SLU-F1 on parts of the test, asked in speech; of sentences without entities there is none. The "
    "spans of several seeds are ranges from the lowest to the highest, and no intervals; that of one "
    "trained model is the 95 % interval of test sampling.",
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
                title="Against the whole test",
                of=lambda row: row.whole,
                form="difference",
                group="",
                about="this slice minus the whole test set",
            ),
        ),
    ),
)
