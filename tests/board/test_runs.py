"""Score rows folded into runs: duplicates, tiers, slices."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from slubench.board.panel import Measure
from slubench.board.runs import ScoredRun, runs_of
from slubench.schemas import SCORES
from tests.board.made_scores import score_rows, scored


def runs(*rows: list[dict[str, Any]]) -> list[ScoredRun]:
    return runs_of(pa.Table.from_pylist([row for some in rows for row in some], schema=SCORES))


def test_a_run_holds_its_measures() -> None:
    (run,) = runs(scored("curriculum", 0.05, 0.7, text=0.8))
    assert run.measures[Measure("slu_f1")].value == pytest.approx(0.7)
    assert run.measures[Measure("slu_f1", "text", False)].value == pytest.approx(0.8)
    assert run.measures[Measure("slu_f1")].low == pytest.approx(0.67)


def test_rows_that_occur_twice_count_once() -> None:
    once, twice = runs(score_rows()), runs(score_rows(), score_rows())
    assert once == twice


def test_the_higher_tier_of_the_same_scores_counts() -> None:
    for tiers in (("claimed", "rescored"), ("rescored", "claimed")):
        (run,) = runs(*(score_rows(tier=tier) for tier in tiers))
        assert run.row["tier"] == "rescored"


def test_slices_are_no_part_of_the_whole() -> None:
    rows = score_rows(slices=[("all", "all"), ("speaker_sex", "Female")])
    for row in rows:
        row["value"] = 0.6 if row["slice_by"] == "all" else 0.1
    (run,) = runs(rows)
    assert {estimate.value for estimate in run.measures.values()} == {0.6}


def test_one_set_of_scores_may_stand_for_two_tasks() -> None:
    here = score_rows(strategy="zero-shot", task="massive-de", scores_fingerprint="same")
    there = score_rows(strategy="zero-shot", task="massive-fr-to-de", scores_fingerprint="same")
    assert [run.row["task"] for run in runs(here, there)] == ["massive-de", "massive-fr-to-de"]


def test_what_heard_nothing_has_the_budget_0() -> None:
    (run,) = runs(score_rows(strategy="text-only", speech="5%"))
    assert run.speech == "0"


@pytest.mark.parametrize(("value", "low", "high"), [(0.0, 0.0, 0.0362), (1.0, 0.9638, 1.0)])
def test_old_rows_at_0_and_100_percent_are_shown_with_a_width(value: float, low: float, high: float) -> None:
    rows = [row | {"value": value, "low": value, "high": value, "clusters": 100} for row in score_rows()]
    (run,) = runs(rows)
    found = run.measures[Measure("slu_f1")]
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-4)
