"""The short answer, in words computed from the scores."""

from __future__ import annotations

import re
from io import StringIO
from pathlib import Path

from rich.console import Console

from slubench.board.panel import Panel
from slubench.board.panels import panels_of
from slubench.board.read.replicates import read_replicates
from slubench.board.read.scores import read_scores
from slubench.board.runs import runs_of
from slubench.board.site.tables import filled
from slubench.board.terminal import PanelTable
from slubench.board.view import Table, Words, find_views
from tests.board.known_truth import write_home
from tests.board.made_scores import grid, panel, score_rows, scored


def answer(shown: Panel) -> str:
    (view,) = [view for view in find_views() if view.name == "answer"]
    assert isinstance(view.shows, Words)
    plain = " ".join(view.shows.say(shown))
    return plain.replace("\N{WORD JOINER}", "").replace("\N{NARROW NO-BREAK SPACE}", " ")


def seeds(strategy: str, share: float, values: list[float]) -> list[list[dict[str, object]]]:
    return [
        scored(strategy, share, value, data_seed=seed, train_seed=seed) for seed, value in enumerate(values)
    ]


def test_it_says_what_little_speech_brings() -> None:
    said = answer(
        panel(
            *seeds("text-only", 0, [0.60, 0.62, 0.64]),
            *seeds("curriculum", 0.05, [0.71, 0.72, 0.73]),
            *seeds("direct-mix", 0.05, [0.68, 0.69, 0.70]),
            *seeds("direct-mix", 1.0, [0.81, 0.82, 0.83]),
        )
    )
    assert (
        "With 5 % of the German speech (100 clips), in SLU-F1: curriculum 72.0 (71.0\u201373.0) and "
        "direct-mix 69.0 (68.0\u201370.0); no paired comparison separates them yet." in said
    )
    # Nothing is paired here, so nothing is said of the gain.
    assert (
        "Without any speech, text-only reaches 62.0 (60.0\u201364.0); no paired comparison shows what "
        "curriculum gains from speech." in said
    )
    assert "Direct-mix with all of the speech reaches 82.0" in said
    assert "With 3 seeds, this is about these trained models" in said


def ranked_panel(tmp_path: Path, levels: dict[tuple[str, float], float], seeds: int) -> Panel:
    paths = write_home(tmp_path, levels, range(seeds))
    (shown,) = panels_of(runs_of(read_scores(paths).table), read_replicates(paths))
    return shown


def ranked(tmp_path: Path, levels: dict[tuple[str, float], float], seeds: int) -> str:
    return answer(ranked_panel(tmp_path, levels, seeds))


def test_who_is_first_is_named_where_the_ranking_separates_it(tmp_path: Path) -> None:
    levels = {("direct-mix", 0.05): 0.6, ("curriculum", 0.05): 0.75, ("speech-only", 0.05): 0.5}
    said = ranked(tmp_path, levels, 5)
    assert said.startswith("With 5 % of the German speech (100 clips): curriculum reaches an SLU-F1 of")
    assert "ahead of direct-mix" in said
    assert "not separated" not in said
    assert "trained models" not in said


def test_no_single_best_is_named_where_nothing_separates_it(tmp_path: Path) -> None:
    levels = {("direct-mix", 0.05): 0.7, ("curriculum", 0.05): 0.701, ("speech-only", 0.05): 0.4}
    said = ranked(tmp_path, levels, 5)
    assert " reaches an SLU-F1 of" not in said
    first = said.partition(" in SLU-F1 are not separated, which is not a tie; ")
    assert "curriculum" in first[0]
    assert "direct-mix" in first[0]
    assert first[2].startswith("speech-only ")
    assert "is worse than at least one of them." in first[2]


def test_reading_alone_may_be_better_than_all_that_listen(tmp_path: Path) -> None:
    levels = {("text-only", 0.0): 0.9, ("direct-mix", 0.05): 0.5, ("curriculum", 0.05): 0.52}
    assert "; text-only is better." in ranked(tmp_path, levels, 5)


def test_what_was_handed_in_and_not_trained_again_answers_nothing() -> None:
    said = answer(panel(scored("direct-mix", 0.05, 0.7), scored("miracle", 0.05, 0.99, tier="rescored")))
    assert "direct-mix reaches an SLU-F1 of 70.0" in said
    assert "miracle" not in said


def test_few_seeds_say_it_of_these_models_alone(tmp_path: Path) -> None:
    said = ranked(tmp_path, {("direct-mix", 0.05): 0.5, ("curriculum", 0.05): 0.8}, 3)
    assert "With 3 seeds, this is about these trained models" in said


def test_from_five_seeds_on_it_is_not_about_these_models_alone() -> None:
    said = answer(panel(*seeds("curriculum", 0.05, [0.7, 0.71, 0.72, 0.73, 0.74])))
    assert "trained models" not in said


def test_another_budget_speaks_where_the_usual_one_was_not_run() -> None:
    said = answer(panel(scored("curriculum", 0.1, 0.7), scored("curriculum", 1.0, 0.9)))
    assert said.startswith("With 10 % of the German speech (200 clips): curriculum")


WHOLE = {("text-only", 0.0): 0.5, ("direct-mix", 0.05): 0.6, ("direct-mix", 1.0): 0.8}


def test_the_gain_by_speech_is_the_paired_one_with_its_interval(tmp_path: Path) -> None:
    said = ranked(tmp_path, {**WHOLE, ("curriculum", 0.05): 0.65}, 5)
    found = re.search(
        r"curriculum changes this by \+(\S+) points \((\S+) to (\S+), paired\), which closes (\d+) %", said
    )
    assert found is not None
    gain, low, high, closed = map(float, found.groups())
    assert 5 < low < gain < high
    assert 40 < closed < 60
    assert "of the gap to direct-mix with all of the speech." in said


def test_losing_by_speech_is_said_too_and_closes_no_gap(tmp_path: Path) -> None:
    said = ranked(tmp_path, {**WHOLE, ("text-only", 0.0): 0.75}, 5)
    assert "direct-mix changes this by \u2212" in said
    assert "of the gap" not in said


def test_a_gain_that_nothing_separates_is_not_told_as_one(tmp_path: Path) -> None:
    said = ranked(tmp_path, {**WHOLE, ("direct-mix", 0.05): 0.502, ("curriculum", 0.05): 0.501}, 3)
    assert "is not separated from it, which is not a tie" in said
    assert "brings" not in said


def test_a_cross_lingual_answer_names_both_languages() -> None:
    said = answer(panel(score_rows(task="massive-fr-to-de")))
    assert "of the French speech (100 clips), tested in German with no German data: curriculum" in said


def test_without_speech_it_says_so() -> None:
    said = answer(panel(scored("text-only", 0, 0.6, text=0.9)))
    assert said.startswith("German speech: training on text alone reaches an SLU-F1 of 60.0 (57.0\u201363.0)")
    assert "90.0 on the gold transcripts" in said
    assert "No run has used any speech yet." in said


def test_zero_shot_alone_has_a_sentence_and_nothing_measured_has_none() -> None:
    assert "zero-shot reaches an SLU-F1 of 2.0" in answer(panel(scored("zero-shot", 0, 0.02)))
    assert answer(panel([row for row in score_rows() if row["metric"] == "exact_match"])) == ""


def test_only_the_first_four_are_named() -> None:
    shown = panel(*(scored(f"idea-{n}", 0.05, 0.5 + n / 100) for n in range(9)))
    said = answer(shown)
    assert ["idea-8" in said, "idea-5" in said, "idea-4" in said] == [True, True, False]


def test_a_grid_of_synthetic_runs_reads_like_the_paper() -> None:
    said = answer(panel(*grid()))
    assert said.split(": ")[1].startswith("curriculum ")


def test_a_strategy_that_two_engines_answered_is_told_once_with_most_seeds() -> None:
    other = [row | {"engine": "vllm 0.32.0"} for row in scored("curriculum", 0.05, 0.75, data_seed=7)]
    said = answer(panel(*seeds("curriculum", 0.05, [0.71, 0.73]), other, scored("direct-mix", 0.05, 0.70)))
    assert said.startswith("With 5 % of the German speech (100 clips), in SLU-F1: curriculum 72.0")
    assert said.count("curriculum 7") == 1


def test_what_was_handed_in_and_not_trained_again_is_marked_and_answers_nothing() -> None:
    shown = panel(
        *seeds("text-only", 0, [0.6]),
        *seeds("direct-mix", 0.05, [0.7]),
        scored("miracle", 0.05, 0.99, tier="rescored"),
    )
    said = answer(shown)
    assert "direct-mix reaches an SLU-F1 of 70.0" in said
    assert "miracle" not in said
    (results,) = [view.shows for view in find_views() if view.name == "results"]
    assert isinstance(results, Table)
    names = [entry.text for entry in filled(results, shown).entries[0]]
    assert names == ["text-only", "miracle (rescored)", "direct-mix"]
    console = Console(record=True, width=160, file=StringIO())
    console.print(PanelTable(shown))
    (line,) = [line for line in console.export_text().splitlines() if line.startswith("miracle")]
    assert "rescored" in line
