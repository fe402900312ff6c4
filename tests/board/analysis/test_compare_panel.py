"""Rankings, gap closed and equal quality of runs whose truth is known."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from slubench.board.comparisons import Comparisons, Difference
from slubench.board.panel import Panel
from slubench.board.panels import panels_of
from slubench.board.read.replicates import read_replicates
from slubench.board.read.scores import read_scores
from slubench.board.runs import runs_of
from tests.board.known_truth import PAPER, write_home


def shown(paths: list[Path]) -> Panel:
    (panel,) = panels_of(runs_of(read_scores(paths).table), read_replicates(paths))
    return panel


def found(home: Path, levels: Mapping[tuple[str, float], float], seeds: int = 5) -> Comparisons:
    return shown(write_home(home, levels, range(seeds))).findings


@pytest.fixture(scope="module")
def paper(tmp_path_factory: pytest.TempPathFactory) -> Panel:
    return shown(write_home(tmp_path_factory.mktemp("paper"), PAPER))


def test_strategies_are_ranked_by_their_difference_to_direct_mixing(paper: Panel) -> None:
    ranking = next(one for one in paper.findings.rankings if one.speech == "5%")
    assert [row.strategy for row in ranking.rows] == ["curriculum", "direct-mix", "text-only"]
    assert [(row.first, row.last) for row in ranking.rows] == [(1, 1), (2, 2), (3, 3)]
    best = ranking.rows[0].difference
    assert best is not None
    assert (best.verdict, best.seeds, best.comparisons) == ("better", 5, 3)
    assert best.low < 0.0875 < best.high
    assert ranking.rows[1].difference is None


def test_the_gap_closed_is_the_mean_over_six_budgets(paper: Panel) -> None:
    closure = next(one for one in paper.findings.closures if one.strategy == "direct-mix")
    assert closure.missing == ()
    assert closure.headline is not None
    assert closure.headline.value == pytest.approx(sum(span.value or 0 for _, _, span in closure.shares) / 6)
    (_, _, whole) = closure.shares[-1]
    assert whole.value == pytest.approx(1.0)


def test_minutes_are_told_by_the_budgets_that_were_measured(paper: Panel) -> None:
    closure = next(one for one in paper.findings.closures if one.strategy == "direct-mix")
    measured = {0.0, *(100 * share for share in (0.02, 0.05, 0.1, 0.25, 1.0))}
    (half, eighty) = (bracket for _, bracket in closure.minutes)
    for bracket in (half, eighty):
        assert {bracket.low, bracket.high, bracket.after, bracket.by} <= measured
        assert bracket.by is not None
        assert bracket.high is not None
        assert bracket.low <= bracket.after < bracket.by <= bracket.high <= bracket.most == 100.0
    assert half.by < eighty.by  # type: ignore[operator]


def test_a_strategy_with_less_speech_may_do_what_direct_mixing_does_with_more(paper: Panel) -> None:
    same = {(one.strategy, one.speech): one.other for one in paper.findings.same}
    assert same["curriculum", "2%"] == "5%"


def test_a_cell_that_was_not_run_is_missing_and_not_made_up(tmp_path: Path) -> None:
    levels = {key: level for key, level in PAPER.items() if key != ("curriculum", 0.1)}
    closure = next(one for one in found(tmp_path, levels).closures if one.strategy == "curriculum")
    assert closure.headline is None
    assert "10" in closure.missing[0]
    assert len(closure.shares) == 4


def test_without_direct_mixing_nothing_is_ranked_or_closed(tmp_path: Path) -> None:
    levels = {("text-only", 0.0): 0.5, ("curriculum", 0.05): 0.6}
    findings = found(tmp_path, levels, 2)
    assert findings.rankings[0].rows == ()
    assert "direct-mix" in findings.rankings[0].missing[0]
    assert findings.closures[0].missing == ("direct-mix at 100 %",)


def test_cells_of_three_seeds_and_more_have_total_intervals(paper: Panel) -> None:
    estimate = paper.cells[0].estimate("slu_f1")
    assert estimate is not None
    assert "other seeds and sentences" in estimate.kind
    assert dict(paper.cells[0].slices).keys() == {("entities", "some"), ("entities", "none")}


@pytest.mark.parametrize(
    ("difference", "verdict"),
    [
        (Difference(0.018, 0.009, 0.027, 5, 0.01), "better"),
        (Difference(-0.018, -0.027, -0.009, 5, 0.01), "worse"),
        (Difference(0.001, -0.003, 0.005, 5, 0.6), "tie"),
        (Difference(0.003, 0.001, 0.005, 5, 0.01), "tie"),
        (Difference(0.001, -0.01, 0.012, 5, 0.9), "not separated"),
        (Difference(0.018, 0.009, 0.027, 5, 0.06), "not separated"),
    ],
)
def test_verdicts_are_those_of_the_rules(difference: Difference, verdict: str) -> None:
    assert difference.verdict == verdict
