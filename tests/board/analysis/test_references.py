"""References as lines across the curves: what is measured, never what is not."""

from __future__ import annotations

from typing import Any

from slubench.board.analysis.references import references_of
from slubench.board.panel import Panel
from slubench.board.view import Plot, find_views
from tests.board.made_scores import panel, scored


def lines(shown: Panel) -> dict[str, dict[str, Any]]:
    (view,) = [view for view in find_views() if view.name == "slu-f1-by-speech"]
    assert isinstance(view.shows, Plot)
    return {row["name"]: dict(row) for row in view.shows.rows(shown) if row["role"] == "reference"}


def own(rows: list[dict[str, Any]], value: float) -> list[dict[str, Any]]:
    return rows + [{**row, "input": "asr", "value": value} for row in rows if row["input"] == "text"]


def test_all_that_is_measured_is_drawn() -> None:
    shown = panel(
        own(scored("text-only", 0, 0.6, text=0.9), 0.7),
        scored("zero-shot-ontology", 0, 0.55, text=0.5, updates=0),
        scored("direct-mix", 0.05, 0.8),
    )
    found = lines(shown)
    assert {name: (round(row["value"]), row["across"]) for name, row in found.items()} == {
        "text-only, matched updates": (60, "speech"),
        "gold transcript \u2192 text-only": (90, "text"),
        "ASR transcript \u2192 text-only": (70, "asr"),
        "zero-shot-ontology": (55, "speech"),
    }


def test_what_is_not_measured_is_not_drawn() -> None:
    rows = [row for row in scored("text-only", 0, 0.6) if row["input"] == "speech"]
    assert set(lines(panel(rows, scored("direct-mix", 0.05, 0.8)))) == {"text-only, matched updates"}
    assert lines(panel(scored("direct-mix", 0.05, 0.8))) == {}


def test_fewer_updates_are_not_called_matched() -> None:
    shown = panel(scored("text-only", 0, 0.6, updates=100), scored("direct-mix", 0.05, 0.8))
    assert references_of(shown, "slu_f1")[0].name == "text-only"


def test_names_of_near_lines_do_not_overlap() -> None:
    shown = panel(
        scored("text-only", 0, 0.600, text=0.9),
        scored("zero-shot-ontology", 0, 0.605, text=0.5),
        scored("direct-mix", 0.05, 0.8),
    )
    places = {name: row["label"] for name, row in lines(shown).items()}
    apart = places["zero-shot-ontology"] - places["text-only, matched updates"]
    assert apart >= 0.06 * (80 - 60)
    assert places["gold transcript \N{RIGHTWARDS ARROW} text-only"] > 90


def test_what_would_flatten_the_curves_is_told_instead() -> None:
    (view,) = [view for view in find_views() if view.name == "slu-f1-by-speech"]
    assert isinstance(view.shows, Plot)
    shown = panel(scored("text-only", 0, 0.6), scored("direct-mix", 0.05, 0.8), scored("zero-shot", 0, 0.02))
    (below,) = [row for row in view.shows.rows(shown) if row["role"] == "below"]
    assert below["text"] == "far below: zero-shot at 2.0"


def test_matched_is_what_had_as_many_updates_as_those_that_hear_and_use_them_all() -> None:
    hears = scored("direct-mix", 0.05, 0.8, updates=250), scored("speech-only", 0.05, 0.4, updates=100)
    fewer = panel(scored("text-only", 0, 0.6, updates=100), *hears)
    assert references_of(fewer, "slu_f1")[0].name == "text-only"
    whole = panel(scored("text-only", 0, 0.6, updates=250), *hears)
    assert references_of(whole, "slu_f1")[0].name == "text-only, matched updates"
