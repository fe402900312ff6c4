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
from slubench.board.site.plot_style import mark_named
from slubench.board.site.tables import axis_ticks, filled, table_body
from slubench.board.view import BudgetLine, Headline, Matrix, Plot, Square, Table, View, Words
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
class HeadlinePlace:
    """A panel's headline: the panel's address, its own, and what it says."""

    address: str
    place: str
    panel: Panel
    view: View
    lines: tuple[BudgetLine, ...]


@dataclass(frozen=True)
class Plots:
    """The plots of a page: charts by view, and the chart and rows of each place on the page."""

    charts: dict[str, Mapping[str, Any]]
    places: dict[str, dict[str, Any]]

    def against(self, place: str) -> set[Any]:
        """What the rows of a place can be drawn against."""
        return {row.get("against") for row in self.places[place]["rows"]}


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


def hidden_of(views: Sequence[View]) -> list[int]:
    """The numbers of `folds_of` of groups that are hidden until a reader asks for them."""
    tables = [view.shows for view in views if isinstance(view.shows, Table)]
    hidden = {group for table in tables for group in table.hidden}
    return [number for title, number in folds_of(views).items() if title in hidden]


def headlines_of(sections: Sequence[Section], views: Sequence[View]) -> list[HeadlinePlace]:
    """The headline of every panel that has one.

    Raises:
        DeclarationError: A view's lines can't be made.
    """
    found = []
    for view in views:
        if isinstance(view.shows, Headline):
            for address, panel in (one for section in sections for one in section.panels):
                try:
                    lines = tuple(view.shows.lines(panel))
                except Exception as error:
                    raise DeclarationError(f"view {view.name}: {type(error).__name__}: {error}") from error
                if lines:
                    found.append(HeadlinePlace(address, f"{address}-{view.name}", panel, view, lines))
    return found


def sentences_of(views: Sequence[View], panel: Panel) -> list[str]:
    """What all views of words say of a panel."""
    return [line for view in views if isinstance(view.shows, Words) for line in view.shows.say(panel)]


def plots_of(sections: Sequence[Section], views: Sequence[View]) -> Plots:
    """Every plot that has rows to show.

    Raises:
        DeclarationError: A view's chart or rows can't be made.
    """
    plots = Plots({}, {})
    for view in views:
        plot = view.shows.plot if isinstance(view.shows, Headline) else view.shows
        if not isinstance(plot, Plot):
            continue
        try:
            places = dict(place for section in sections for place in _places(section, view.name, plot))
            if places:
                plots.places.update(places)
                plots.charts[view.name] = without_look(plot.chart())
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
        axis_ticks=axis_ticks,
        body=partial(table_body, swatch=cache(lambda *mark: str(marks.swatch(*mark)))),
        heat=heat_of,
        sentences=sentences_of,
        run_link=run_link,
        strategy_link=strategy_link,
        mark_named=mark_named,
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
        headline=lambda view: isinstance(view.shows, Headline),
        words=lambda view: isinstance(view.shows, Words),
    )
    return made
