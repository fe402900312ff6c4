"""Several seeds in one number."""

from __future__ import annotations

from typing import Any

import pytest

from slubench.board.analysis.seeds import over_seeds
from slubench.board.panel import Estimate
from tests.board.made_scores import panel, scored


def test_one_model_keeps_its_own_interval() -> None:
    alone = Estimate(0.7, 0.66, 0.73, 1, "test sampling")
    assert over_seeds([alone]) is alone


def test_several_have_their_mean_and_range() -> None:
    several = over_seeds([Estimate(value, 0.0, 1.0) for value in (0.7, 0.6, 0.8)])
    assert several.value == pytest.approx(0.7)
    assert (several.low, several.high, several.seeds) == (0.6, 0.8, 3)
    assert several.kind == "range of 3 seeds"


def test_gap_and_forgetting_are_measured_against_text_only_of_the_same_seed() -> None:
    shown = panel(
        scored("text-only", 0, 0.60, text=0.90, train_seed=0),
        scored("text-only", 0, 0.60, text=0.94, train_seed=1),
        scored("curriculum", 0.05, 0.75, text=0.88, train_seed=0),
        scored("curriculum", 0.05, 0.79, text=0.95, train_seed=1),
    )
    (cell,) = shown.of("curriculum")
    gap, forgetting = cell.estimate("modality_gap"), cell.estimate("forgetting", "text")
    assert gap is not None
    assert forgetting is not None
    assert (gap.low, gap.value, gap.high) == pytest.approx((0.15, 0.15, 0.15))
    assert (forgetting.low, forgetting.value, forgetting.high) == pytest.approx((-0.01, 0.005, 0.02))


def asked_its_own(rows: list[dict[str, Any]], value: float) -> list[dict[str, Any]]:
    """The rows of a run, with those of a third way of asking."""
    return rows + [{**row, "input": "asr", "value": value} for row in rows if row["input"] == "text"]


def test_the_cascade_splits_the_gap_into_recognition_and_transfer() -> None:
    shown = panel(
        asked_its_own(scored("text-only", 0, 0.60, text=0.90), 0.70),
        scored("curriculum", 0.05, 0.75),
    )
    (cell,) = shown.of("curriculum")
    parts = [cell.estimate(name, "asr") for name in ("recognition_gap", "transfer_gap")]
    recognition, transfer = (part.value for part in parts if part is not None)
    # Text-only loses 0.20 by what the model mishears; hearing itself, the curriculum wins 0.05 back.
    assert (recognition, transfer) == pytest.approx((0.20, -0.05))
    gap = cell.estimate("modality_gap")
    assert gap is not None
    assert recognition + transfer == pytest.approx(gap.value)


def test_without_text_only_of_the_same_seed_there_is_no_gap() -> None:
    shown = panel(
        scored("text-only", 0, 0.60, train_seed=0),
        scored("curriculum", 0.05, 0.75, train_seed=1),
    )
    (cell,) = shown.of("curriculum")
    assert cell.estimate("modality_gap") is None


def test_counts_are_means_and_what_is_unknown_is_left_out() -> None:
    shown = panel(
        scored("curriculum", 0.05, 0.7, data_seed=0, train_seconds=100.0, flops=None),
        scored("curriculum", 0.05, 0.7, data_seed=1, train_seconds=140.0, flops=None),
    )
    assert shown.cells[0].counts["train_seconds"] == 120.0
    assert "flops" not in shown.cells[0].counts
