"""A task's scores for the terminal."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import pyarrow as pa
from rich.console import Console, ConsoleOptions, Group, RenderResult
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from slubench.board.fewer_updates import fewer_updates
from slubench.board.panel import Cell, Estimate, Panel
from slubench.board.panels import panels_of
from slubench.board.read.replicates import Replicates
from slubench.board.runs import ScoredRun, runs_of
from slubench.board.sentences import standings
from slubench.board.text import (
    NO_VALUE,
    bought,
    clipped,
    count,
    duration,
    heading,
    interval,
    percent,
    points,
    rank_set,
)
from slubench.domain.metric import Metric
from slubench.schemas import SCORES


def result_table(rows: Iterable[Mapping[str, Any]], metrics: Mapping[str, Metric] | None = None) -> Group:
    """Scores for the terminal, best first: a table for each task within each setting.

    Args:
        rows: Score rows as in `slubench.schemas.SCORES`; other columns play no part.
        metrics: Those that are declared; the package's own where None.
    """
    scores = pa.Table.from_pylist([dict(row) for row in rows], schema=SCORES)
    return panel_tables(runs_of(scores), metrics=metrics)


def panel_tables(
    runs: Iterable[ScoredRun],
    replicates: Replicates | None = None,
    metrics: Mapping[str, Metric] | None = None,
) -> Group:
    """The same of runs, with what replicates say of ranks."""
    return Group(*(PanelTable(panel) for panel in panels_of(runs, replicates, metrics)))


@dataclass(frozen=True)
class PanelTable:
    """A panel as a table for the terminal, with as many columns as its width allows."""

    panel: Panel

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Leave columns out, the least important first, until the table fits."""
        columns = [column for column in _columns(self.panel) if _tells(column, self.panel)]
        for title in ("", *_dropped(self.panel)):
            columns = [column for column in columns if column.title != title]
            table = _table(self.panel, columns)
            if Measurement.get(console, options.update(width=10_000), table).maximum <= options.max_width:
                break
        yield Text(f"{clipped(self.panel.task)}: {heading(self.panel)}", style="bold")
        yield table
        for line in _below(self.panel):
            yield Text(line, style="dim")


class _Column(NamedTuple):
    title: str
    write: Callable[[Cell], Text]


INTERVAL, LENIENT = "interval", "Lenient"
MAIN, INVALID = "slu_f1", "parse_failures"


def _score(
    metric: str, input_kind: str = "speech", *, signed: bool = False, form: str = "points"
) -> Callable[[Cell], Text]:
    written = percent if form == "percent" else points

    def write(cell: Cell) -> Text:
        estimate = cell.estimate(metric, input_kind)
        return Text(NO_VALUE if estimate is None else written(estimate.value, signed=signed))

    return write


def _lenient(cell: Cell) -> Text:
    """SLU-F1 by the lenient reading, with what it is more than by the strict one; only where they differ."""
    lenient, format_ = cell.estimate("lenient_slu_f1"), cell.estimate("format_slu_f1")
    if lenient is None or format_ is None or not format_.value:
        return Text("")
    return Text(f"{points(lenient.value)} ({points(format_.value, signed=True)})")


def _within(cell: Cell) -> Text:
    estimate = cell.estimate("slu_f1")
    return Text(interval(estimate) if isinstance(estimate, Estimate) else "", style="dim")


def _counted(name: str, written: Callable[[float], str]) -> Callable[[Cell], Text]:
    return lambda cell: Text(written(cell.counts[name]) if name in cell.counts else NO_VALUE)


def _ranked(cell: Cell) -> Text:
    return Text(rank_set(*cell.ranks) if cell.ranks is not None else NO_VALUE)


def _updates(cell: Cell) -> Text:
    """A note if a strategy used fewer updates than the rules give its cell."""
    fewer = fewer_updates(cell)
    return Text("" if fewer is None else str(fewer))


_COLUMNS = (
    _Column("Strategy", lambda cell: Text(clipped(cell.strategy, 32))),
    _Column("Speech", lambda cell: Text(bought(cell.speech, cell.uses_speech))),
    _Column("Clips", _counted("clips_bought", count)),
    _Column("Seeds", lambda cell: Text(str(len(cell.seeds)))),
    _Column("Tier", lambda cell: Text("" if cell.tier == "local" else clipped(cell.tier, 16))),
    _Column(INTERVAL, _within),
    _Column("Text input", _score("slu_f1", "text")),
    _Column("Gap", _score("modality_gap", signed=True)),
    _Column(LENIENT, _lenient),
    _Column("Updates", _updates),
    _Column("Training", _counted("train_seconds", duration)),
    _Column("Engine", lambda cell: Text(clipped(cell.engine, 32))),
)
_LEAST_TELLING = ("Engine", "Training", "Updates", "Clips")


def _dropped(panel: Panel) -> list[str]:
    """Titles of the columns that are left out in a narrow terminal, the least important first."""
    beside = [label for label in reversed(panel.metrics) if label.name != MAIN]
    headline = [label.title for label in beside if label.headline]
    others = [label.title for label in beside if not label.headline]
    return [*_LEAST_TELLING, *others, "Gap", *headline[:-1], LENIENT, "Text input", INTERVAL]


def _columns(panel: Panel) -> list[_Column]:
    """All columns, including the ranks at a row's budget."""
    places = [column.title for column in _COLUMNS].index("Seeds") + 1
    measured = [
        _Column(label.title, _score(label.name, form=label.form))
        for label in panel.metrics
        if label.headline or label.name == INVALID
    ]
    columns = [*_COLUMNS[:places], _Column("Rank", _ranked), *_COLUMNS[places:]]
    at = [column.title for column in columns].index(INTERVAL)
    return [*columns[:at], *measured[:1], columns[at], *measured[1:], *columns[at + 1 :]]


def _tells(column: _Column, panel: Panel) -> bool:
    return any(column.write(cell).plain not in ("", NO_VALUE) for cell in panel.cells)


def _table(panel: Panel, columns: Iterable[_Column]) -> Table:
    table = Table(box=None, header_style="dim", pad_edge=False)
    columns = list(columns)
    for column in columns:
        words = column.title in ("Strategy", INTERVAL, "Engine", "Tier")
        table.add_column(
            column.title, justify="left" if words else "right", no_wrap=column.title != "Strategy"
        )
    for cell in panel.cells:
        table.add_row(*(column.write(cell) for column in columns))
    return table


def _below(panel: Panel) -> Iterable[str]:
    setting = panel.setting
    named = (setting.edition, setting.model, setting.track, setting.data_track, setting.ruleset)
    yield " \N{MIDDLE DOT} ".join([*map(clipped, named), f"rules {setting.rules}"])
    if setting.edition == "mini":
        yield "The mini edition is a test of the software, not evidence about strategies."
    estimates = [cell.estimate("slu_f1") for cell in panel.cells]
    kinds = {re.sub(r"of \d+ seeds", "of the seeds", one.kind.partition(",")[0]) for one in estimates if one}
    intervals = f"; the interval is the {' or the '.join(sorted(kinds - {''}))}" if kinds - {""} else ""
    yield f"Scores out of 100 on normalised text, best first{intervals}."
    if any(_lenient(cell).plain for cell in panel.cells):
        yield (
            "Lenient: SLU-F1 if errors in the reply format are forgiven, and its difference to the score. Not"
            " ranked."
        )
    if panel.findings.rankings:
        yield (
            'Ranks: all ranks compatible with the data at the row\'s budget. "Not separated" is not a tie.'
        )
    yield from standings(panel)
    yield from panel.notes
