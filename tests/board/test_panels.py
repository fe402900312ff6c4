"""Nothing unlike stands in one table."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest

from slubench.board.comparisons import Comparisons
from slubench.board.panel import Cell, Estimate, Measure, Panel
from slubench.board.panels import LEAVES_SPEAKERS_OUT
from slubench.board.site.html import runs_behind
from tests.board.made_scores import grid, panel, panels, score_rows, scored


@pytest.mark.parametrize(
    "other",
    [
        {"edition": "full"},
        {"model": "another"},
        {"track": "full"},
        {"data_track": "open"},
        {"ruleset": "paper"},
        {"rules": 2},
        {"task": "massive-fr"},
        {"corpus_revision": "another"},
    ],
)
def test_settings_tasks_and_revisions_stand_apart(other: dict[str, Any]) -> None:
    changed = score_rows(scores_fingerprint="other", **other)
    assert [len(shown.cells) for shown in panels(score_rows(), changed)] == [1, 1]


def test_target_data_is_a_condition_of_cross_lingual_tasks_alone() -> None:
    def of(task: str) -> int:
        conditions = ("none", "text")
        rows = [score_rows(task=task, target=target, scores_fingerprint=target) for target in conditions]
        return len(panels(*rows))

    assert (of("massive-fr-to-de"), of("massive-de")) == (2, 1)


def test_full_comes_before_the_miniature_and_monolingual_before_cross_lingual() -> None:
    shown = panels(
        score_rows(task="massive-de"),
        score_rows(task="massive-de-to-fr", edition="full"),
        score_rows(task="massive-fr", edition="full"),
    )
    assert [(p.setting.edition, p.task) for p in shown] == [
        ("full", "massive-fr"),
        ("full", "massive-de-to-fr"),
        ("mini", "massive-de"),
    ]


def test_cells_are_best_first_and_what_was_not_measured_comes_last() -> None:
    unmeasured = [row for row in score_rows(strategy="strange") if row["metric"] != "slu_f1"]
    shown = panel(scored("direct-mix", 0.05, 0.6), unmeasured, scored("curriculum", 0.05, 0.7))
    assert [cell.strategy for cell in shown.cells] == ["curriculum", "direct-mix", "strange"]


def test_strategies_that_hear_nothing_stand_there_once() -> None:
    given = [
        score_rows(strategy="text-only", speech=speech, train_seed=n) for n, speech in enumerate(["0", "5%"])
    ]
    (cell,) = panel(*given).cells
    assert (cell.speech, cell.share, cell.uses_speech, len(cell.seeds)) == ("0", 0.0, False, 2)


def test_of_runs_with_the_same_seeds_the_newest_counts_and_the_panel_says_so() -> None:
    old = scored("curriculum", 0.05, 0.5, scores_fingerprint="old")
    new = scored("curriculum", 0.05, 0.7, created=datetime(2027, 1, 1, tzinfo=UTC))
    shown = panel(new, old)
    (cell,) = shown.cells
    estimate = cell.estimate("slu_f1")
    assert estimate is not None
    assert (estimate.value, estimate.seeds) == (0.7, 1)
    assert any("1 older run" in note for note in shown.notes)


def test_engines_and_tiers_have_rows_of_their_own_and_versions_share_one() -> None:
    shown = panel(
        score_rows(data_seed=0, engine="vllm 0.31.0"),
        score_rows(data_seed=1, engine="vllm 0.32.0"),
        score_rows(data_seed=0, engine="transformers 5.17.0", scores_fingerprint="t"),
        score_rows(data_seed=0, engine="vllm 0.31.0", scores_fingerprint="c", tier="claimed"),
    )
    assert sorted((cell.engine, cell.tier, len(cell.seeds)) for cell in shown.cells) == [
        ("transformers 5.17.0", "local", 1),
        ("vllm 0.31.0", "claimed", 1),
        ("vllm 0.31.0, vllm 0.32.0", "local", 2),
    ]


def test_scores_of_several_scorers_are_pointed_at() -> None:
    shown = panel(score_rows(data_seed=0), score_rows(data_seed=1, scorer_version="2"))
    assert any("several scorer versions (1, 2)" in note for note in shown.notes)


@pytest.mark.parametrize(
    ("mark", "why"),
    [
        ("oracle-selection", "Not ranked: the checkpoint was selected on spoken validation clips"),
        ("val-clips", "Not ranked: some of the bought clips were used for validation"),
        ("stratified", "Not ranked: clips were sampled in proportion to intents"),
    ],
)
def test_what_the_rules_do_not_rank_stands_apart_unranked_and_says_why(mark: str, why: str) -> None:
    chosen = ("massive-de",), ("text-only", "direct-mix", "curriculum"), (0.0, 0.05)
    ranked = panel(*grid(*chosen))
    assert ranked.findings.closures
    assert (ranked.setting.marks, ranked.notes) == ((), (LEAVES_SPEAKERS_OUT,))
    apart = panel(*grid(*chosen, ruleset=f"fixed+{mark}"))
    assert apart.setting.marks == (mark,)
    assert apart.findings == Comparisons()
    assert apart.notes[0].startswith(why)


def test_of_cells_that_weigh_the_same_the_one_that_scored_best_is_not_taken() -> None:
    cells = [
        Cell(
            strategy="text-only",
            speech="0",
            share=0.0,
            engine=engine,
            serving="merged",
            tier="local",
            seeds=((0, 0),),
            runs=(engine,),
            measures={Measure("slu_f1"): Estimate(score)},
            counts={},
        )
        for engine, score in (("vllm 2", 0.9), ("vllm 1", 0.1))
    ]
    for some in (cells, cells[::-1]):
        shown = cast(Panel, SimpleNamespace(cells=tuple(some)))
        row = SimpleNamespace(strategy="text-only", speech="0")
        assert runs_behind(shown, row) == ("vllm 1",)
