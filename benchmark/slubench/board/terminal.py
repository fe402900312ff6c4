"""A task's scores for the terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pyarrow as pa
from rich.console import Group
from rich.table import Table
from rich.text import Text

from slubench.board.panels import panels_of
from slubench.board.runs import runs_of
from slubench.board.wording import NO_VALUE, budget, clipped, count, duration, heading, interval, points
from slubench.tables import SCORES
from slubench.view import Cell, Estimate, Panel

_SCORES: tuple[tuple[str, Callable[[Cell], Estimate | None], bool], ...] = (
    ("SLU-F1", lambda cell: cell.estimate("slu_f1"), False),
    ("Intent", lambda cell: cell.estimate("intent_accuracy"), False),
    ("Entity F1", lambda cell: cell.estimate("entity_f1"), False),
    ("Exact", lambda cell: cell.estimate("exact_match"), False),
    ("On text", lambda cell: cell.estimate("slu_f1", "text"), False),
    ("Gap", lambda cell: cell.estimate("modality_gap"), True),
    ("Unparsed", lambda cell: cell.estimate("parse_failures"), False),
)


def result_table(rows: Iterable[Mapping[str, Any]]) -> Group:
    """Scores for the terminal, best first: a table for each task within each setting.

    Args:
        rows: Score rows as in `slubench.tables.SCORES`; other columns play no part.
    """
    table = pa.Table.from_pylist([dict(row) for row in rows], schema=SCORES)
    return Group(*(panel_table(panel) for panel in panels_of(runs_of(table))))


def panel_table(panel: Panel) -> Table:
    """A panel as a table for the terminal; scores in points of 100."""
    setting = panel.setting
    where = " \N{MIDDLE DOT} ".join(
        clipped(part)
        for part in (
            setting.edition,
            setting.model,
            setting.track,
            setting.data_track,
            setting.ruleset,
            f"rules {setting.rules}",
        )
    )
    table = Table(
        title=Text(f"{clipped(panel.task)}: {heading(panel)}", style="bold"),
        caption=Text(_caption(panel, where)),
        title_justify="left",
        caption_justify="left",
        box=None,
        header_style="dim",
        pad_edge=False,
    )
    scores = [column for column in _SCORES if any(column[1](cell) for cell in panel.cells)]
    table.add_column("Strategy", overflow="fold")
    for title in ("Speech", "Clips", "Seeds", *(title for title, _, _ in scores), "Training"):
        table.add_column(title, justify="right", no_wrap=True)
    for place, cell in enumerate(panel.cells):
        clips, seconds = cell.counts.get("clips_bought"), cell.counts.get("train_seconds")
        table.add_row(
            Text(clipped(cell.strategy, 40)),
            Text(budget(cell.speech) if cell.hears else "0"),
            NO_VALUE if clips is None else count(clips if cell.hears else 0),
            str(len(cell.seeds)),
            *(_score(of(cell), signed, with_interval=title == "SLU-F1") for title, of, signed in scores),
            NO_VALUE if seconds is None else duration(seconds),
            style="bold" if place == 0 and len(panel.cells) > 1 else None,
        )
    return table


def _score(estimate: Estimate | None, signed: bool, *, with_interval: bool) -> Text:
    if estimate is None:
        return Text(NO_VALUE)
    text = Text(points(estimate.value, signed=signed))
    if with_interval and (within := interval(estimate)):
        text.append(f" [{within}]", style="dim")
    return text


def _caption(panel: Panel, where: str) -> str:
    lines = [where]
    if panel.setting.edition == "mini":
        lines.append("The miniature is a test of the software, not evidence about strategies.")
    several = any(len(cell.seeds) > 1 for cell in panel.cells)
    single = any(len(cell.seeds) == 1 for cell in panel.cells)
    kinds = [
        *(["95 % of test sampling for one seed"] if single else []),
        *(["the range of several seeds"] if several else []),
    ]
    lines.append(f"Points of 100, normalised, best first; in brackets {' and '.join(kinds)}.")
    return "\n".join([*lines, *panel.notes])
