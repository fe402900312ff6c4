"""A budget of 0 with spoken target data hears something: it is no reference, and is measured at 0."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pyarrow as pa
from rich.console import Console

from slubench.board import result_table
from slubench.board.analysis.references import references_of
from slubench.board.panel import Panel
from slubench.board.panels import panels_of
from slubench.board.runs import runs_of
from slubench.board.site.filters import choices_of
from slubench.board.site.run_page import told_of
from slubench.board.text import bought
from slubench.board.view import Plot, Words, find_views
from slubench.schemas import SCORES
from tests.board.made_scores import score_rows


def rows(strategy: str, share: float, heard: int) -> list[dict[str, Any]]:
    return [
        row
        for seed in range(2)
        for row in score_rows(
            task="massive-fr-to-de",
            strategy=strategy,
            share=share,
            data_seed=seed,
            train_seed=seed,
            target="text+speech",
            clip_exposures=heard,
        )
    ]


def made() -> list[dict[str, Any]]:
    return [
        *rows("text-only", 0.0, 0),
        *rows("direct-mix", 0.0, 345),
        *rows("direct-mix", 0.05, 645),
        *rows("curriculum", 0.0, 345),
        *rows("curriculum", 0.05, 645),
    ]


def panel() -> Panel:
    (found,) = panels_of(runs_of(pa.Table.from_pylist(made(), schema=SCORES)))
    return found


def test_each_strategy_is_ranked_once_at_a_budget() -> None:
    rankings = {ranking.speech: ranking for ranking in panel().findings.rankings}
    assert set(rankings) == {"0", "5%"}
    for ranking in rankings.values():
        told = [name.partition(":")[0] for name in ranking.missing] + [row.strategy for row in ranking.rows]
        assert sorted(told) == sorted(set(told))


def test_what_hears_the_target_language_is_no_reference() -> None:
    names = {reference.cell.strategy for reference in references_of(panel(), "slu_f1")}
    assert names == {"text-only"}


def test_what_hears_the_target_language_is_not_called_no_speech() -> None:
    shown = panel()
    cells = {(cell.strategy, cell.speech): cell for cell in shown.cells}
    assert cells["direct-mix", "0"].uses_speech
    assert not cells["text-only", "0"].uses_speech
    assert bought("0", True) == "0 + target"
    assert bought("0", False) == "0"
    choices = {choice.name: choice for choice in choices_of([shown])}
    assert [text for _, text in choices["speech"].options][:2] == ["0", "0 + target"]
    console = Console(width=200, file=StringIO())
    console.print(result_table(made()))
    assert isinstance(console.file, StringIO)
    lines = [line for line in console.file.getvalue().splitlines() if line.startswith("curriculum ")]
    assert sum("0 + target" in line for line in lines) == 1
    assert "At 0 + target:" in console.file.getvalue()
    assert "At 0:" not in console.file.getvalue()
    for run in runs_of(pa.Table.from_pylist(made(), schema=SCORES)):
        title = told_of(run, None, None)["title"]
        assert ("no speech" in title) == (run.row["strategy"] == "text-only")


def test_the_curve_begins_at_what_was_measured_at_0() -> None:
    (view,) = [one for one in find_views() if one.name == "slu-f1-by-speech"]
    assert isinstance(view.shows, Plot)
    rows_ = list(view.shows.rows(panel()))
    at_none = [row for row in rows_ if row["role"] in ("point", "start") and row["x"] == 0.0]
    assert sorted((row["strategy"], row["role"], row["speech"]) for row in at_none) == [
        ("curriculum", "point", "0 + target"),
        ("direct-mix", "point", "0 + target"),
    ]


def test_the_short_answer_speaks_of_target_speech_alone() -> None:
    alone = [*rows("text-only", 0.0, 0), *rows("direct-mix", 0.0, 345)]
    (found,) = panels_of(runs_of(pa.Table.from_pylist(alone, schema=SCORES)))
    (view,) = [one for one in find_views() if one.name == "answer"]
    assert isinstance(view.shows, Words)
    said = " ".join(view.shows.say(found))
    assert "No run has used any speech yet" not in said
    assert "With none of the French speech" in said
    assert "target data text+speech" in said
