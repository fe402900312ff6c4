"""Scores in the terminal."""

from __future__ import annotations

from io import StringIO
from typing import Any

from rich.console import Console

from slubench.board import result_table
from tests.board.made_scores import grid, score_rows, scored


def printed(*runs: list[dict[str, Any]], width: int = 160) -> str:
    console = Console(width=width, file=StringIO())
    console.print(result_table(row for run in runs for row in run))
    assert isinstance(console.file, StringIO)
    return console.file.getvalue().replace("\N{NARROW NO-BREAK SPACE}", " ")


def test_a_task_is_printed_best_first() -> None:
    text = printed(scored("direct-mix", 0.05, 0.6), scored("curriculum", 0.05, 0.7, text=0.8))
    assert "massive-de: German speech" in text
    assert text.index("curriculum") < text.index("direct-mix")
    (line,) = [line for line in text.splitlines() if line.startswith("curriculum")]
    assert line.split()[:6] == ["curriculum", "5", "%", "100", "1", "70.0"]
    assert "67.0\u201373.0" in line
    assert "test of the software" in text


def test_every_task_and_setting_has_a_table_of_its_own() -> None:
    text = printed(*grid(("massive-de", "massive-fr"), seeds=(0,)), score_rows(edition="full"))
    assert [text.count("massive-de: German"), text.count("massive-fr: French")] == [2, 1]


def test_markup_in_names_is_shown_and_control_characters_are_not() -> None:
    text = printed(score_rows(strategy="[bold red]x[/]\x1b[31m", engine="vllm [link=x]"))
    assert "[bold red]x[/]" in text
    assert "\x1b" not in text


def test_columns_of_other_tables_play_no_part() -> None:
    assert "curriculum" in printed([row | {"cached": True} for row in score_rows()])


def test_nothing_is_printed_of_nothing() -> None:
    assert printed() == ""


def test_it_fits_a_terminal_of_eighty_columns() -> None:
    text = printed(*grid(seeds=(0, 1, 2)), width=80)
    assert max(map(len, text.splitlines())) <= 80
    assert "Training" not in text
    assert ["speech-only", "100", "%", "3", "79.6"] in [line.split()[:5] for line in text.splitlines()]


def test_the_lenient_reading_stands_beside_the_strict_one_where_format_costs_something() -> None:
    rows = scored("direct-mix", 0.05, 0.6) + score_rows(strategy="zero-shot", share=0.0)
    (identity,) = [
        row
        for row in rows
        if row["strategy"] == "zero-shot"
        and row["metric"] == "slu_f1"
        and row["input"] == "speech"
        and row["normalised"]
    ][:1]
    assert "Lenient" not in printed(rows)
    zero = [{**identity, "metric": name, "value": 0.0} for name in ("format_slu_f1",)]
    assert "Lenient" not in printed([*rows, *zero, {**identity, "metric": "lenient_slu_f1"}])
    apart = {"lenient_slu_f1": 0.4125, "format_slu_f1": 0.1225}
    more = [{**identity, "metric": name, "value": value} for name, value in apart.items()]
    text = printed([*rows, *more], width=200)
    (line,) = [line for line in text.splitlines() if line.startswith("zero-shot")]
    assert "41.2 (+12.2)" in line.replace("41.3", "41.2").replace("12.3", "12.2")
    assert "Not ranked." in text
