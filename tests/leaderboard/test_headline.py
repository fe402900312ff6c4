"""The headline: one line that claims what the data allow, and no more."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from slubench.board.panel import Panel
from slubench.board.site.links import checked_address, citation, outward_links, paper_citation
from slubench.board.view import BudgetLine, Headline, find_views
from slubench.errors import UsageError
from tests.board.made_scores import panel, panels, scored
from tests.leaderboard.test_answer import ranked_panel

ROOT = Path(__file__).resolve().parents[2]


def lines(shown: Panel) -> list[BudgetLine]:
    (view,) = [view for view in find_views() if view.name == "headline"]
    assert isinstance(view.shows, Headline)
    return list(view.shows.lines(shown))


def first(shown: Panel) -> str:
    return lines(shown)[0].line.replace("\u202f", " ")


ALL = {("text-only", 0.0): 0.5, ("direct-mix", 0.05): 0.6, ("direct-mix", 1.0): 0.8}


def test_the_usual_budget_comes_first_and_the_others_by_their_gains(tmp_path: Path) -> None:
    said = first(ranked_panel(tmp_path, {**ALL, ("curriculum", 0.05): 0.7}, 5))
    assert said.startswith("5 min of German speech: +20 points over text-only, curriculum best; 100 min: +3")


def test_strategies_that_nothing_separates_are_not_told_apart(tmp_path: Path) -> None:
    said = first(ranked_panel(tmp_path, {**ALL, ("curriculum", 0.05): 0.601}, 3))
    assert "curriculum and direct-mix not distinguishable" in said


def test_a_gain_that_is_not_significant_says_so(tmp_path: Path) -> None:
    said = first(ranked_panel(tmp_path, {**ALL, ("direct-mix", 0.05): 0.502, ("curriculum", 0.05): 0.501}, 3))
    assert "over text-only (not significant)" in said


def test_one_seed_is_not_tested_and_few_speak_of_models_alone() -> None:
    shown = panel(scored("text-only", 0, 0.5), scored("direct-mix", 0.05, 0.6))
    assert first(shown) == "5 min of German speech: +10 points over text-only (not tested) with direct-mix."
    note = lines(shown)[0].note
    assert "The gain is not tested" in note
    assert "1 seed: about these trained models" in note


def test_a_loss_has_a_minus_and_no_plus(tmp_path: Path) -> None:
    said = first(ranked_panel(tmp_path, {**ALL, ("text-only", 0.0): 0.75}, 5))
    assert ": \u221215 points over text-only" in said


def test_what_was_handed_in_and_not_retrained_is_no_headline() -> None:
    shown = panel(scored("text-only", 0, 0.5), scored("miracle", 0.05, 0.99, tier="claimed"))
    assert "miracle" not in first(shown)


def test_without_text_only_and_without_speech_there_is_a_line_too() -> None:
    assert (
        first(panel(scored("curriculum", 0.05, 0.7)))
        == "5 min of German speech: 70.0 in SLU-F1 with curriculum."
    )
    assert "no run has used speech of a budget yet" in first(panel(scored("text-only", 0, 0.6)))


def test_across_languages_both_are_named() -> None:
    (shown,) = panels(
        scored("text-only", 0, 0.5, task="massive-fr-to-de"),
        scored("curriculum", 0.05, 0.7, task="massive-fr-to-de"),
    )
    assert first(shown).startswith("5 min of French speech, tested in German: +20 points")


def test_the_citation_file_and_the_page_cite_the_same() -> None:
    file = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    assert f"title = {{{file['title']}}}" in citation()
    assert f"version = {{{file['version']}}}" in citation()
    assert file["authors"][0]["name"] in citation()
    assert f"title = {{{file['references'][0]['title']}}}" in paper_citation()
    assert "url = {https://example.org/code}" in citation("https://example.org/code")


def test_links_are_those_given_and_only_of_the_web() -> None:
    links = dict(outward_links({"code": "https://example.org/code"}))
    assert links["Code"] == "https://example.org/code"
    assert {"Paper", "Submit yours", "Cite"} <= set(links)
    with pytest.raises(UsageError, match="--docs javascript:alert"):
        checked_address("--docs", "javascript:alert(1)")
