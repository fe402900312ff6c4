"""Ranks in words, and in the terminal: no single best is named where nothing separates it."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

from rich.console import Console

from slubench.board import panel_tables
from slubench.board.panels import panels_of
from slubench.board.read.replicates import read_replicates
from slubench.board.read.scores import read_scores
from slubench.board.runs import runs_of
from slubench.board.sentences import standings
from tests.board.known_truth import write_home

Levels = dict[tuple[str, float], float]
APART: Levels = {("direct-mix", 0.05): 0.6, ("curriculum", 0.05): 0.75, ("speech-only", 0.05): 0.4}
NEAR: Levels = {**APART, ("curriculum", 0.05): 0.601}


def said(tmp_path: Path, levels: Levels, seeds: int) -> list[str]:
    paths = write_home(tmp_path, levels, range(seeds))
    (shown,) = panels_of(runs_of(read_scores(paths).table), read_replicates(paths))
    return [one.replace("\u202f", " ") for one in standings(shown)]


def test_who_is_first_is_named_where_the_data_tell(tmp_path: Path) -> None:
    assert said(tmp_path, APART, 5) == [
        "At 5 %: curriculum is first; then direct-mix (rank 2), speech-only (rank 3)."
    ]


def test_else_nobody_is(tmp_path: Path) -> None:
    (sentence,) = said(tmp_path, NEAR, 5)
    assert "curriculum and direct-mix are not separated" in sentence
    assert "first" not in sentence
    assert sentence.endswith("then speech-only (rank 3).")


def test_few_seeds_say_it_of_trained_models(tmp_path: Path) -> None:
    (sentence,) = said(tmp_path, APART, 3)
    assert "with 3 seeds, this is only about these trained models" in sentence


def test_without_direct_mixing_nothing_is_ranked(tmp_path: Path) -> None:
    (sentence,) = said(tmp_path, {("curriculum", 0.05): 0.7}, 5)
    assert sentence.startswith("At 5 %: not ranked, missing: direct-mix at this budget")


def test_the_terminal_shows_ranks_and_what_they_come_to(tmp_path: Path) -> None:
    paths = write_home(tmp_path, NEAR, range(5))
    console = Console(width=150, file=StringIO(), record=True)
    console.print(panel_tables(runs_of(read_scores(paths).table), read_replicates(paths)))
    text = console.export_text().replace("\u202f", " ")
    rows = {line.split()[0]: line for line in text.splitlines() if line and line.split()[0] in "curriculum"}
    assert "1\u20132" in rows["curriculum"]
    assert "are not separated" in text
    assert "interval for other seeds and sentences" in text
