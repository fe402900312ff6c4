"""Renders panels and views to HTML and to the data of the plots."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from itertools import groupby
from typing import Any

import jinja2

from slubench.board import text as wording
from slubench.board.panel import Panel, Setting
from slubench.board.site.html import run_link, strategy_link
from slubench.board.site.plot_style import series_and_dash
from slubench.board.site.tables import filled, table_body
from slubench.board.view import Matrix, Plot, Square, Table, View, Words
from slubench.errors import DeclarationError
from slubench.registry.kinds import shelf_folders

SHADES = 10


def heat_of(squares: Sequence[Square], metric: str) -> Callable[[float], int]:
    """One colour scale for all matrices of a setting, from their lowest to their highest number."""
    estimates = (cell.estimate(metric) for square in squares for _, cell in square.cells.values())
    values = [estimate.value for estimate in estimates if estimate is not None]
    low, high = min(values, default=0.0), max(values, default=1.0)
    width = (high - low) or 1.0
    return lambda value: min(SHADES - 1, max(0, int(SHADES * (value - low) / width)))


@dataclass(frozen=True)
class Section:
    """A setting and its panels, each with its address on the page."""

    setting: Setting
    address: str
    panels: tuple[tuple[str, Panel], ...]


@dataclass(frozen=True)
class Plots:
    """The plots of a page: charts by view, and the chart and rows of each place on the page."""

    charts: dict[str, Mapping[str, Any]]
    places: dict[str, dict[str, Any]]


def sections_of(panels: Sequence[Panel]) -> tuple[Section, ...]:
    """Panels by setting, in the given order."""
    sections: list[Section] = []
    for setting, group in groupby(panels, lambda panel: panel.setting):
        address = _address("in", setting.edition, setting.model, setting.track, str(len(sections) + 1))
        numbered = enumerate(group, 1)
        sections.append(
            Section(
                setting,
                address,
                tuple((_address(panel.task, str(len(sections) + 1), str(n)), panel) for n, panel in numbered),
            )
        )
    return tuple(sections)


def _address(*parts: str) -> str:
    # The numbers at the end keep addresses apart whatever names are reduced to.
    return "-".join(re.sub(r"[^a-z0-9]+", "-", part.lower()).strip("-")[:40] for part in parts)


def folds_of(views: Sequence[View]) -> dict[str, int]:
    """A number for each group of columns that can be hidden; 0 for columns that are always shown."""
    tables = [view.shows for view in views if isinstance(view.shows, Table)]
    titles = dict.fromkeys(column.group for table in tables for column in table.columns if column.group)
    return {"": 0} | {title: number for number, title in enumerate(titles, 1)}


def plots_of(sections: Sequence[Section], views: Sequence[View]) -> Plots:
    """Every plot that has rows to show.

    Raises:
        DeclarationError: A view's chart or rows can't be made.
    """
    plots = Plots({}, {})
    for view in views:
        if not isinstance(view.shows, Plot):
            continue
        try:
            places = dict(place for section in sections for place in _places(section, view.name, view.shows))
            if places:
                plots.places.update(places)
                plots.charts[view.name] = without_look(view.shows.chart())
        except Exception as error:
            raise DeclarationError(f"view {view.name}: {type(error).__name__}: {error}") from error
    return plots


def _places(section: Section, name: str, plot: Plot) -> Iterator[tuple[str, dict[str, Any]]]:
    for address, panel in section.panels:
        if rows := list(plot.rows(panel)):
            height = {"height": plot.row_height * len(rows)} if plot.row_height else {}
            yield f"{address}-{name}", {"chart": name, "rows": rows, **height}


def without_look(chart: Mapping[str, Any]) -> dict[str, Any]:
    """A chart without altair's theme and schema, as the page draws it."""
    return {name: value for name, value in chart.items() if name not in ("$schema", "config")}


def render(template: str, given: Mapping[str, Any], root: str = "") -> str:
    """Render a template; every string in `given` is escaped.

    Args:
        template: Its name.
        given: What it asks for.
        root: From the page to the folder's root, as in `../`.
    """
    return environment().get_template(template).render({"root": root, **given})


@cache
def environment() -> jinja2.Environment:
    """The page templates, with the functions that they may call."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader([folder / "template" for folder in shelf_folders("leaderboard")]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    marks: Any = made.get_template("marks.html").module
    made.globals.update(
        filled=filled,
        body=partial(table_body, swatch=cache(lambda series, dash: str(marks.swatch(series, dash)))),
        heat=heat_of,
        run_link=run_link,
        strategy_link=strategy_link,
        series_and_dash=series_and_dash,
        points=wording.points,
        interval=wording.interval,
    )
    made.filters.update(
        clipped=wording.clipped, heading=wording.heading, language=wording.language, count=wording.count
    )
    made.tests.update(
        table=lambda view: isinstance(view.shows, Table),
        plot=lambda view: isinstance(view.shows, Plot),
        matrix=lambda view: isinstance(view.shows, Matrix),
        words=lambda view: isinstance(view.shows, Words),
    )
    return made
