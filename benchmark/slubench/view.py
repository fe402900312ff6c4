"""A view: one table, plot, matrix or set of sentences of the leaderboard, and the nouns it is given to show.

A view sees a `Panel`: the cells of one task within one setting, already averaged over seeds; a matrix sees
all panels of a setting. It never sees a score file. Views lie in `leaderboard/`, one file each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from slubench.errors import DeclarationError
from slubench.findings import Findings
from slubench.strategy import NAME

TEXT_ONLY = "text-only"
DIRECT_MIX = "direct-mix"


class Measure(NamedTuple):
    """What was measured: a metric, how the model was asked, and on which text."""

    metric: str
    asked: str = "speech"
    normalised: bool = True


@dataclass(frozen=True)
class Estimate:
    """A number with what is known of its uncertainty.

    Attributes:
        value: The number, in the unit of the score rows ([0, 1] for metrics).
        low: Lower end of the interval, None where there is none.
        high: Upper end.
        seeds: Over how many trained models it was taken.
        kind: What the interval is, in words.
    """

    value: float
    low: float | None = None
    high: float | None = None
    seeds: int = 1
    kind: str = ""

    def overlaps(self, other: Estimate) -> bool | None:
        """Whether the two intervals meet; None where one of them has none."""
        if self.low is None or self.high is None or other.low is None or other.high is None:
            return None
        return self.low <= other.high and other.low <= self.high


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A strategy at one budget of speech, over its seeds.

    Attributes:
        strategy: Name of the strategy.
        speech: The budget as given (`5%`, `20min`, `230`), `0` where no speech was heard.
        share: Clips bought over clips in the task's pool, in [0, 1].
        engine: Engine that answered, with its version; several versions joined by commas.
        serving: How the adapter was served; several ways joined by commas.
        tier: What the numbers rest on, RULES.md.
        seeds: (data seed, train seed) of each run, sorted.
        runs: What each run's page is called, in the order of `seeds`.
        measures: What was measured.
        counts: Means over the runs of what the ledger counts, by column of the score rows.
        slices: SLU-F1 on speech of parts of the test, by column and value.
    """

    strategy: str
    speech: str
    share: float
    engine: str
    serving: str
    tier: str
    seeds: tuple[tuple[int, int], ...]
    runs: tuple[str, ...]
    measures: Mapping[Measure, Estimate] = field(repr=False)
    counts: Mapping[str, float] = field(repr=False)
    slices: Mapping[tuple[str, str], Estimate] = field(repr=False, default_factory=dict)

    def estimate(self, metric: str, asked: str = "speech", *, normalised: bool = True) -> Estimate | None:
        """The estimate of a metric, None where it was not measured."""
        return self.measures.get(Measure(metric, asked, normalised))

    @property
    def hears(self) -> bool:
        """Whether any speech was heard in training."""
        return self.speech != "0"


@dataclass(frozen=True, kw_only=True, order=True)
class Setting:
    """What must be equal for numbers to stand in one table."""

    edition: str
    model: str
    track: str
    data_track: str
    ruleset: str
    rules: int

    @property
    def marks(self) -> tuple[str, ...]:
        """What takes its rows out of the ranking, as in `oracle-selection`; mostly nothing."""
        return tuple(self.ruleset.split("+")[1:])


@dataclass(frozen=True, kw_only=True)
class Panel:
    """One task's cells within one setting, best first.

    Attributes:
        setting: Edition, model, track and ruleset.
        task: Name of the task.
        corpus: Name of the corpus.
        revision: The corpus's commit or digest, empty where it is not known.
        test_in: Language of the test (ISO 639-1).
        speech_in: Languages of the training recordings.
        text_in: Languages of the training transcripts.
        target: Condition on target-language data, empty for monolingual tasks.
        cells: By SLU-F1 on speech, best first.
        series: A number for each strategy that hears speech, the same on the whole page, for its colour.
        notes: What a reader of this panel must know, in sentences.
        findings: What comparing the cells gives.
    """

    setting: Setting
    task: str
    corpus: str
    revision: str
    test_in: str
    speech_in: tuple[str, ...]
    text_in: tuple[str, ...]
    target: str
    cells: tuple[Cell, ...]
    series: Mapping[str, int] = field(repr=False)
    notes: tuple[str, ...] = ()
    findings: Findings = field(repr=False, default=Findings())

    @property
    def cross_lingual(self) -> bool:
        """Whether the test's language is not among those spoken in training."""
        return self.test_in not in self.speech_in

    def of(self, strategy: str) -> tuple[Cell, ...]:
        """A strategy's cells by rising share of speech."""
        return tuple(sorted((c for c in self.cells if c.strategy == strategy), key=lambda c: c.share))

    def reading_alone(self) -> Cell | None:
        """Text-only at 0, that others are measured against; the one with the most seeds."""
        cells = [cell for cell in self.of(TEXT_ONLY) if not cell.hears]
        return max(cells, key=lambda cell: len(cell.seeds), default=None)


Format = Literal["text", "points", "difference", "count", "seconds", "minutes", "budget"]


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column of a table.

    Attributes:
        title: Its head.
        of: The value for a row of the table; None is shown as a dash.
        form: How the value is written; `points` and `difference` are 100 times the score's unit.
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
    """Columns over the cells of a panel, or over other rows made from it; the first one heads the row.

    Attributes:
        columns: A column of form `budget` needs rows with `speech` and `hears`.
        rows: The rows for a panel; no row, no table. A row's `strategy`, where it has one, gives its mark.
        sorted_by: Title of the column by which rows come sorted, the best first.
    """

    columns: tuple[Column, ...]
    rows: Callable[[Panel], Sequence[Any]] = field(default=lambda panel: panel.cells)
    sorted_by: str = ""


@dataclass(frozen=True)
class Plot:
    """A Vega-Lite chart over rows made from a panel.

    Attributes:
        chart: Makes the chart; its data is named `rows`, its colours and shapes come from `series`.
            Called once a page, so that hundreds of panels share one specification.
        rows: The rows for a panel; no row, no plot.
        row_height: Pixels for each row, for a chart that grows with its rows.
    """

    chart: Callable[[], Mapping[str, Any]]
    rows: Callable[[Panel], Sequence[Mapping[str, Any]]]
    row_height: int | None = None


@dataclass(frozen=True)
class Square:
    """One matrix of source by target languages.

    Attributes:
        condition: What it is headed by: the condition on target data.
        choice: Which strategy and budget it shows; a reader looks at one choice at a time.
        sources: Its rows, languages heard in training.
        targets: Its columns, languages asked in.
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
    """Sentences about a panel, shown before any table; none where nothing can be said."""

    say: Callable[[Panel], Iterable[str]]


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
    shows: Table | Plot | Matrix | Words
    note: str = ""
    folded: bool = False

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.name):
            raise DeclarationError(f"a view's name has lower-case letters, digits and hyphens: {self.name!r}")
        if isinstance(self.shows, Table) and not self.shows.columns:
            raise DeclarationError(f"the table of view {self.name} has no columns")
