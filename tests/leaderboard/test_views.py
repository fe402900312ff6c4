"""Views are found, and every one of them survives every kind of panel."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import altair as alt
import pytest

from slubench.board.panel import Estimate, Panel
from slubench.board.site.html import script_json
from slubench.board.site.page import plots_of, sections_of
from slubench.board.site.tables import filled
from slubench.board.view import Column, Headline, Matrix, Plot, Table, View, Words, find_views
from slubench.errors import DeclarationError
from tests.board.made_scores import grid, panel, panels, score_rows

VIEWS = find_views()
KINDS: dict[str, Sequence[list[dict[str, Any]]]] = {
    "a grid": list(grid(("massive-de", "massive-fr-to-de"))),
    "one run": [score_rows()],
    "reading alone": [score_rows(strategy="text-only")],
    "zero-shot": [score_rows(strategy="zero-shot")],
    "speech alone": [[row for row in score_rows() if row["input"] == "speech"]],
    "text alone": [[row for row in score_rows() if row["input"] == "text"]],
    "no main score": [[row for row in score_rows() if row["metric"] == "exact_match"]],
    "no interval": [score_rows(low=None, high=None)],
    "unknown language": [score_rows(test_in="xx", speech_in=["yy", "zz"])],
    "few115": [score_rows(speech="few115")],
    "minutes": [score_rows(speech="20min"), score_rows(speech="230", scores_fingerprint="x", data_seed=1)],
    "many strategies": [score_rows(strategy=f"idea-{n}") for n in range(30)],
}


def test_the_shelf_holds_the_views_of_the_page() -> None:
    names = [view.name for view in VIEWS]
    assert set(names) > {"answer", "results", "gap-closed", "ranking", "slices", "reported", "cost"}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)
def test_every_view_survives_every_panel(view: View, kind: str) -> None:
    for shown in panels(*KINDS[kind]):
        match view.shows:
            case Table() as table:
                made = filled(table, shown)
                assert {len(column) for column in made.entries} == {len(table.rows(shown))}
                assert len(made.columns) == len(made.entries)
                assert all(entry.text for column in made.entries for entry in column)
            case Plot(_, rows):
                assert json.loads(script_json(list(rows(shown)))) == list(rows(shown))
            case Matrix(squares):
                cells = [cell for square in squares([shown]) for _, cell in square.cells.values()]
                assert bool(cells) == (
                    shown.cross_lingual and kind != "no main score" and kind != "text alone"
                )
            case Headline(lines=lines, plot=plot):
                told = list(lines(shown))
                assert all(line.line.endswith(".") for line in told)
                assert bool(told) == (kind not in ("no main score", "text alone"))
                rows_there = list(plot.rows(shown))
                assert json.loads(script_json(rows_there)) == rows_there
            case Words(say):
                assert all(sentence.endswith(".") for sentence in say(shown))


@pytest.mark.parametrize("view", [v for v in VIEWS if isinstance(v.shows, Plot)], ids=lambda view: view.name)
def test_every_chart_is_vega_lite(view: View) -> None:
    assert isinstance(view.shows, Plot)
    chart = dict(view.shows.chart())
    assert chart["data"] == {"name": "rows"}
    alt.Chart.from_dict(chart, validate=True)


def home_view(home: Path, text: str) -> Path:
    path = home / "leaderboard" / "mine.py"
    path.parent.mkdir(parents=True)
    path.write_text(text, "utf-8")
    return path


OWN = """
from slubench.board.view import Column, Table, View

MINE = View(
    name="{name}", title="Mine", order=6,
    shows=Table((Column(title="Strategy", of=lambda cell: cell.strategy, form="text", group=""),)),
)
"""


def test_home_adds_views_of_its_own(home: Path) -> None:
    home_view(home, OWN.format(name="mine"))
    names = [view.name for view in find_views(home)]
    assert names[:5] == ["answer", "headline", "equal-quality", "cross-lingual", "mine"]


def test_of_two_views_with_one_name_the_shelf_s_is_shown_and_both_files_are_named(home: Path) -> None:
    path = home_view(home, OWN.format(name="results"))
    said: list[str] = []
    assert [view.name for view in find_views(home, said.append)] == [view.name for view in VIEWS]
    (line,) = said
    assert line.startswith(f"set aside: The view 'results' is declared twice: in {path} and in ")
    assert "leaderboard/results.py" in line


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = 1\nraise RuntimeError('no')\n", "line 2: the file cannot be imported: RuntimeError: no"),
        ("def broken(:\n", "line 1: the file cannot be imported: SyntaxError"),
        ("import nowhere_to_be_found\n", "line 1: the file cannot be imported: ModuleNotFoundError"),
        ("x = 1\n", "declares no view: no name at its top level is assigned View(...)"),
    ],
)
def test_a_broken_file_is_named_and_the_page_goes_without(home: Path, text: str, said: str) -> None:
    path = home_view(home, text)
    lines: list[str] = []
    assert [view.name for view in find_views(home, lines.append)] == [view.name for view in VIEWS]
    (line,) = lines
    assert line.startswith(f"set aside: {path}")
    assert said in line


def test_a_view_that_fails_while_rendering_is_named() -> None:
    def rows(panel: Panel) -> list[dict[str, Any]]:
        raise ZeroDivisionError(panel.task)

    view = View(name="broken", title="Broken", order=1, shows=Plot(dict, rows))
    with pytest.raises(DeclarationError, match="view broken: ZeroDivisionError: massive-de"):
        plots_of(sections_of(panels(score_rows())), [view])


def test_a_view_is_declared_well() -> None:
    with pytest.raises(DeclarationError, match="name"):
        View(name="Not a name", title="", order=0, shows=Words(lambda panel: []))
    with pytest.raises(DeclarationError, match="no columns"):
        View(name="bare", title="", order=0, shows=Table(()))


def test_the_whiskers_of_a_column_share_one_scale() -> None:
    (shown,) = panels(*grid(seeds=(0,)))
    column = Column(title="S", of=lambda cell: cell.estimate("slu_f1"), form="points", group="", drawn=True)
    (entries,) = filled(Table((column,)), shown).entries
    whiskers = [entry.whisker for entry in entries if entry.whisker]
    assert len(whiskers) == len(shown.cells)
    assert all(0 <= low <= middle <= high <= 1 for low, middle, high in whiskers)
    (axis,) = filled(Table((column,)), shown).axes
    assert axis is not None
    scores = [cell.estimate("slu_f1") for cell in shown.cells]
    drawn = [entry for entry in entries if not entry.beyond]
    low, high = axis.ticks[0], axis.ticks[-1]
    for entry, one in zip(entries, scores, strict=True):
        assert one is not None
        if not entry.beyond:
            assert entry.whisker is not None
            assert entry.whisker[1] == pytest.approx((one.value - low) / (high - low))
    # Zero-shot at 2 is an arrow at the edge, so that the others can be told apart.
    assert entries[-1].beyond == -1
    assert len(drawn) > 12
    assert low > 0.1


def test_the_page_tells_of_a_row_how_much_is_format() -> None:
    rows = score_rows(strategy="zero-shot", share=0.0)
    apart = {"lenient_slu_f1": 0.4, "format_slu_f1": 0.15}
    more = [
        {**rows[0], "input": "speech", "normalised": True, "metric": name, "value": value}
        for name, value in apart.items()
    ]
    (zero_shot,) = panel(rows + more).cells
    (plain,) = panel(rows).cells
    (shows,) = (one.shows for one in VIEWS if one.name == "results")
    assert isinstance(shows, Table)
    columns = {column.title: column for column in shows.columns}
    for title, due in (("Lenient", 0.4), ("Format", 0.15)):
        told = columns[title].of(zero_shot)
        assert isinstance(told, Estimate)
        assert told.value == due
    assert columns["Lenient"].of(plain) is None
    assert columns["Format"].of(plain) is None
