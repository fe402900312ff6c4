"""The cross-lingual matrix: from rows of any source and target, one square a condition."""

from __future__ import annotations

import re
from pathlib import Path

from slubench.board import build
from slubench.board.panel import Panel
from slubench.board.site.page import SHADES, heat_of
from slubench.board.view import Matrix, Square, find_views
from tests.board.made_scores import panels, scored, write_rows


def squares(shown: tuple[Panel, ...]) -> list[Square]:
    (view,) = [view for view in find_views() if isinstance(view.shows, Matrix)]
    assert isinstance(view.shows, Matrix)
    return list(view.shows.squares(shown))


RUNS = [
    scored("direct-mix", 1.0, 0.60, task="massive-fr-to-de"),
    scored("direct-mix", 1.0, 0.50, task="massive-fr-to-es"),
    scored("direct-mix", 1.0, 0.55, task="massive-de-to-fr"),
    scored("direct-mix", 1.0, 0.70, task="massive-fr-to-de", target="text"),
    scored("direct-mix", 1.0, 0.80, task="massive-fr"),
    scored("curriculum", 0.05, 0.65, task="massive-fr-to-de"),
    scored("text-only", 0, 0.40, task="massive-fr-to-de"),
    scored("speech-only", 1.0, 0.40, task="massive-fr"),
]


def test_there_is_a_square_a_condition_and_the_fullest_choice_comes_first() -> None:
    found = squares(panels(*RUNS))
    assert [(one.choice.replace("\u202f", " "), one.condition) for one in found] == [
        ("direct-mix, 100 %", "none"),
        ("direct-mix, 100 %", "text"),
        ("curriculum, 5 %", "none"),
        ("text-only, no speech", "none"),
    ]
    first = found[0]
    assert (first.sources, first.targets) == (("de", "fr"), ("de", "es", "fr"))
    values = {key: cell.estimate("slu_f1") for key, (_, cell) in first.cells.items()}
    assert {key: round(one.value, 2) for key, one in values.items() if one} == {
        ("fr", "de"): 0.60,
        ("fr", "es"): 0.50,
        ("de", "fr"): 0.55,
        ("fr", "fr"): 0.80,
    }


def test_without_rows_across_languages_there_is_none() -> None:
    assert squares(panels(scored("direct-mix", 1.0, 0.8, task="massive-fr"))) == []


def test_shades_reach_from_the_lowest_to_the_highest_number() -> None:
    found = squares(panels(*RUNS))
    shade = heat_of(found, "slu_f1")
    assert (shade(0.40), shade(0.80)) == (0, SHADES - 1)
    assert 0 < shade(0.6) < SHADES - 1


def test_it_stands_on_the_page_with_numbers_intervals_and_links(tmp_path: Path) -> None:
    scores = write_rows(tmp_path / "a.parquet", [row for run in RUNS for row in run])
    text = build([scores], tmp_path / "site").page.read_text("utf-8")
    matrix = text[text.index('class="matrix"') : text.index('class="panel"')]
    assert matrix.count('<table class="square">') == 4
    assert re.search(
        r'<td class="h\d"><a href="run\.html#[0-9a-f]{12}" title="massive-fr-to-de: 60\.0', matrix
    )
    assert "<small>57.0\u201363.0</small>" in matrix
    assert matrix.count('class="squares"') == matrix.count("<option>") == 3
    assert matrix.count(" hidden>") == 2 + 1  # squares that are not chosen, and the list until scripts run
