"""A view: one table, plot, matrix or set of sentences of the leaderboard.

A view sees a `Panel`: the cells of one task within one setting, already averaged over seeds; a matrix sees
all panels of a setting. It never sees a score file. Views lie in `leaderboard/`, one file each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from slubench.board.panel import Cell, Estimate, Panel
from slubench.domain.strategy import NAME
from slubench.errors import DeclarationError
from slubench.registry import Registry

Format = Literal[
    "text", "command", "points", "percent", "difference", "count", "seconds", "minutes", "bytes", "budget"
]


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column of a table.

    Attributes:
        title: Its head.
        of: The value for a row of the table; None is shown as a dash.
        form: How the value is written; `points`, `percent` and `difference` are 100 times the
            score's unit.
        group: Head above neighbouring columns of the same group; groups can be folded away.
        about: What it means, for the note below the head.
        rising: Whether the smaller value is the better one, so that sorting begins with it.
        drawn: Whether estimates are drawn as point and whisker too.
        quiet: Whether it stands back from its neighbours.
    """

    title: str
    of: Callable[[Any], str | float | Estimate | None]
    form: Format
    group: str
    about: str = ""
    rising: bool = False
    drawn: bool = False
    quiet: bool = False


@dataclass(frozen=True)
class Table:
    """Columns over the cells of a panel, or over rows computed from it; the first column heads the row.

    Attributes:
        columns: A column of form `budget` needs rows with `speech` and `hears`.
        rows: The rows for a panel; no row, no table. A row's `strategy`, where it has one, gives its mark.
        sorted_by: Title of the column by which rows come sorted, the best first.
        by_budget: Whether rows stand by rising budget, as in the order of `rows` within each.
        hidden: Groups of columns that are shown on demand; without scripts all are shown.
        more: Columns behind these that only a panel tells of, as those of the metrics that it has.
    """

    columns: tuple[Column, ...]
    rows: Callable[[Panel], Sequence[Any]] = field(default=lambda panel: panel.cells)
    sorted_by: str = ""
    by_budget: bool = False
    hidden: tuple[str, ...] = ()
    more: Callable[[Panel], Sequence[Column]] = field(default=lambda panel: ())


@dataclass(frozen=True)
class Plot:
    """A Vega-Lite chart over rows computed from a panel.

    Attributes:
        chart: Makes the chart; its data is named `rows`, its colours and shapes come from `series`.
            Called once a page, so that hundreds of panels share one specification.
        rows: The rows for a panel; no row, no plot.
        row_height: Pixels for each row, for a chart that grows with its rows.
        against: What a reader may choose among for the x axis: values of the rows' column `against`, and how
            each is read.
    """

    chart: Callable[[], Mapping[str, Any]]
    rows: Callable[[Panel], Sequence[Mapping[str, Any]]]
    row_height: int | None = None
    against: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Square:
    """One matrix of source and target languages.

    Attributes:
        condition: What it is headed by: the condition on target data.
        choice: Which strategy and budget it shows; a reader looks at one choice at a time.
        sources: Its rows, languages of the training speech.
        targets: Its columns, languages of the test.
        cells: By source and target, with the panel each comes from; a place may stay empty.
    """

    condition: str
    choice: str
    sources: tuple[str, ...]
    targets: tuple[str, ...]
    cells: Mapping[tuple[str, str], tuple[Panel, Cell]]


@dataclass(frozen=True)
class Matrix:
    """Matrices over all panels of a setting, number and colour in every cell.

    Attributes:
        squares: Those of a setting, the choice shown first coming first; none where there is nothing across.
        metric: Which measure of the cells is shown.
    """

    squares: Callable[[Sequence[Panel]], Sequence[Square]]
    metric: str = "slu_f1"


@dataclass(frozen=True)
class Words:
    """Sentences about a panel, shown above the tables; may be empty."""

    say: Callable[[Panel], Iterable[str]]


@dataclass(frozen=True, kw_only=True)
class BudgetLine:
    """What a headline says when a budget is chosen.

    Attributes:
        budget: Names it in the address and in the rows of the plot.
        label: As it is read on its button.
        line: The one line.
        order: Buttons stand by it.
        note: What a careful reader asks for next, in smaller print.
    """

    budget: str
    label: str
    line: str
    order: float = 0.0
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Headline:
    """The answer to a panel's question in one line and one curve, at the top of the page.

    Attributes:
        lines: A line for each budget, the one that is shown first coming first; none, no headline.
        plot: Its curve. Rows with a `budget` and the role `chosen` are drawn while that budget is chosen.
    """

    lines: Callable[[Panel], Sequence[BudgetLine]]
    plot: Plot


@dataclass(frozen=True, kw_only=True)
class View:
    """One table, plot, matrix or set of sentences of the page.

    Attributes:
        name: Lower case, digits and hyphens; part of addresses on the page.
        title: Its heading.
        order: Views of a panel stand in this order.
        shows: What it shows.
        note: How to read it, one or two sentences.
        folded: Whether a table is opened only on demand, because it is long.
    """

    name: str
    title: str
    order: int
    shows: Table | Plot | Matrix | Words | Headline
    note: str = ""
    folded: bool = False

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.name):
            raise DeclarationError(
                f"the name of a view may only contain lower-case letters, digits and hyphens: {self.name!r}"
            )
        if isinstance(self.shows, Table) and not self.shows.columns:
            raise DeclarationError(f"the table of view {self.name} has no columns")


def find_views(home: Path | None = None, say: Callable[[str], None] | None = None) -> tuple[View, ...]:
    """The views of the package, of plugins and of `home/leaderboard/*.py`, sorted by their `order`.

    Args:
        home: HOME, whose own views are shown beside the package's.
        say: Takes a line about each file that is of no use; the page is built without it.
    """
    registry = Registry(home) if say is None else Registry(home, say)
    views: list[View] = list(registry.views.values())
    return tuple(sorted(views, key=lambda view: (view.order, view.name)))
