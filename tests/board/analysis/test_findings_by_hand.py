"""What the board concludes from runs whose scores are known, against scipy's tests and plain arithmetic."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from scipy import stats

from slubench.board.analysis.compare_panel import findings_of
from slubench.board.analysis.gap_closed import closure_of, minutes_bracket
from slubench.board.analysis.pairing import Evidence, aligned, shared_seeds
from slubench.board.analysis.ranking import ranking_of, same_quality
from slubench.board.analysis.seeds import gaps_over, measures_over, slices_over, totals_over
from slubench.board.panel import Estimate, Measure
from slubench.board.read.replicates import MeasureReplicates, Replicates
from slubench.board.runs import ScoredRun
from slubench.metrics.statistics import MeanEstimate, corrected

NOISE = 1e-5
"""Spread of the replicates: enough to vary, too little to count."""


class Known(Replicates):
    """Replicates that hardly vary, by run and metric."""

    def __init__(self) -> None:
        super().__init__()

    def add(self, run: str, metric: str, value: float, **changes: Any) -> None:
        noise = np.random.default_rng(len(self._drawn)).normal(0, NOISE, 300)
        drawn = MeasureReplicates(value, (value + noise).astype(np.float32), 10**6)._replace(**changes)
        self._drawn[run, "speech", metric] = drawn


def a_run(
    known: Known, strategy: str, speech: str, seeds: tuple[int, int], value: float, **row: Any
) -> ScoredRun:
    data, train = seeds
    share = float(speech[:-1]) / 100 if speech.endswith("%") else 0.0
    told: dict[str, Any] = {
        "strategy": strategy, "speech": speech, "data_seed": data, "train_seed": train,
        "clip_exposures": 0 if speech == "0" else 90, "speech_share": share, "minutes_bought": 60 * share,
        "minutes_exposed": 100 - 60 * share, "engine": "e 1", "serving": "live", "tier": "local",
        "updates": 9,
        "scores_fingerprint": f"{strategy} {speech} {seeds} {row.get('engine', '')}",
    } | row  # fmt: skip
    known.add(told["scores_fingerprint"], "slu_f1", value)
    known.add(told["scores_fingerprint"], "exact_match", value / 2)
    return ScoredRun(told, {Measure("slu_f1"): Estimate(value)}, strategy=strategy)


def cell(known: Known, strategy: str, speech: str, values: Sequence[float], **row: Any) -> list[ScoredRun]:
    return [a_run(known, strategy, speech, (at, at), value, **row) for at, value in enumerate(values)]


def names(groups: Sequence[Sequence[ScoredRun]]) -> list[list[tuple[int, int]]]:
    return [[run.seeds for run in group] for group in groups]


def test_what_hears_nothing_is_paired_by_its_train_seed_each_once() -> None:
    known = Known()
    hears = [a_run(known, "a", "5%", seeds, 0.5) for seeds in ((0, 0), (1, 0), (0, 1), (4, 2))]
    reads = [a_run(known, "b", "0", seeds, 0.5) for seeds in ((7, 0), (8, 0), (7, 1), (7, 3))]
    # Of two runs of a train seed the first stands for it, on both sides.
    for first, second in ((hears, reads), (reads, hears)):
        paired = list(zip(*names(shared_seeds([first, second])), strict=True))
        due = [((0, 0), (7, 0)), ((0, 1), (7, 1))]
        assert sorted(paired) == (due if first is hears else [(b, a) for a, b in due])
    assert names(shared_seeds([hears, hears])) == [[(0, 0), (0, 1), (1, 0), (4, 2)]] * 2
    assert names(shared_seeds([reads, reads])) == [[(7, 0), (7, 1), (7, 3)]] * 2


def test_pairs_are_of_one_metric_and_one_test_and_go_by_the_fewest_sentences() -> None:
    known = Known()
    one, other = cell(known, "a", "5%", (0.6, 0.7)), cell(known, "b", "5%", (0.5, 0.55))
    found = aligned([one, other], known, "exact_match")
    assert found is not None
    assert found.measured.means == pytest.approx([0.325, 0.2625])
    known.add(str(other[1].row["scores_fingerprint"]), "slu_f1", 0.55, effective=7.0)
    found = aligned([one, other], known)
    assert found is not None
    assert found.measured.clusters == pytest.approx([10**6, 7])
    for changed in ({"clusters": 999}, {"speakers": 8}, {"replicates": np.zeros(5, np.float32)}):
        known.add(str(other[1].row["scores_fingerprint"]), "slu_f1", 0.55, **changed)
        assert aligned([one, other], known) is None


def test_cells_looked_up_together_keep_the_order_in_which_they_are_asked_for() -> None:
    known = Known()
    groups = [cell(known, name, "5%", values) for name, values in VALUES.items()]
    evidence = Evidence(groups, known)
    for some in ([groups[2], groups[0]], [groups[0], groups[2]], [groups[1], groups[2], groups[0]]):
        found = evidence.aligned(some)
        assert found is not None
        due = [np.mean(VALUES[str(group[0].row["strategy"])]) for group in some]
        assert found.measured.means == pytest.approx(due)
        assert found.measured.clusters == pytest.approx([10**6] * len(some))
    exact = evidence.aligned(groups[:2], "exact_match")
    assert exact is not None
    assert exact.measured.means == pytest.approx([np.mean(VALUES[n]) / 2 for n in list(VALUES)[:2]])


VALUES = {
    "direct-mix": (0.60, 0.61, 0.63, 0.62, 0.60),
    "better": (0.66, 0.66, 0.70, 0.69, 0.66),
    "near": (0.61, 0.60, 0.65, 0.61, 0.61),
    "worse": (0.50, 0.52, 0.53, 0.50, 0.51),
}


def test_a_ranking_is_of_paired_t_tests_corrected_for_all_pairs_best_first() -> None:
    known = Known()
    groups = [cell(known, name, "5%", values) for name, values in VALUES.items()]
    found = ranking_of(groups, Evidence(groups, known))
    assert found is not None
    assert [row.strategy for row in found.rows] == ["better", "near", "direct-mix", "worse"]
    order = list(VALUES)
    pairs = [(a, b) for at, a in enumerate(order) for b in order[at + 1 :]]
    assert list(found.pairs) == pairs
    plain = [stats.ttest_rel(VALUES[a], VALUES[b]) for a, b in pairs]
    for (a, b), test, due in zip(pairs, plain, corrected([one.pvalue for one in plain]), strict=True):
        difference = found.pairs[a, b]
        assert difference.value == pytest.approx(np.mean(VALUES[a]) - np.mean(VALUES[b]))
        assert difference.p == pytest.approx(due.p, rel=0.02)
        ends = test.confidence_interval(due.level)
        assert (difference.low, difference.high) == pytest.approx((ends.low, ends.high), abs=2e-3)
        turned = found.between(b, a)
        assert turned is not None
        assert (turned.value, turned.low, turned.high) == (
            -difference.value, -difference.high, -difference.low,
        )  # fmt: skip
    rows = {row.strategy: row for row in found.rows}
    for name in ("better", "near", "worse"):
        difference = rows[name].difference  # type: ignore[assignment]
        assert difference is not None
        assert difference.value == pytest.approx(np.mean(VALUES[name]) - np.mean(VALUES["direct-mix"]))
    assert rows["direct-mix"].difference is None
    ranks = {name: (row.first, row.last) for name, row in rows.items()}
    assert ranks == {"better": (1, 1), "near": (2, 3), "direct-mix": (2, 3), "worse": (4, 4)}
    assert {row.seeds for row in found.rows} == {5}


def test_a_row_is_told_over_the_seeds_that_it_shares() -> None:
    known = Known()
    groups = [
        cell(known, "direct-mix", "5%", VALUES["direct-mix"]),
        cell(known, "late", "5%", (0.7, 0.7, 0.8)),
    ]
    groups[1].append(a_run(known, "late", "5%", (9, 9), 0.1))  # direct mixing has no such seeds
    found = ranking_of(groups, Evidence(groups, known))
    assert found is not None
    late = next(row for row in found.rows if row.strategy == "late")
    assert late.seeds == 3
    assert late.difference is not None
    assert late.difference.value == pytest.approx(np.mean([0.1, 0.09, 0.17]))


def test_equal_quality_is_with_the_largest_budget_that_is_not_ahead() -> None:
    known = Known()
    own = [cell(known, "mine", speech, VALUES["near"]) for speech in ("2%", "10%", "25%")]
    own.append(cell(known, "mine", "0", VALUES["better"]))
    levels = {"5%": -0.03, "10%": -0.02, "25%": -0.012, "100%": 0.2}
    mixing = [cell(known, "direct-mix", s, [v + more for v in VALUES["near"]]) for s, more in levels.items()]
    found = {one.speech: one for one in same_quality(own, mixing, Evidence([*own, *mixing], known))}
    # At no speech nothing is told; beside 25 % there is 100 % alone, which is ahead.
    assert {speech: one.other for speech, one in found.items()} == {"2%": "25%", "10%": "25%"}
    assert found["2%"].difference.value == pytest.approx(0.012)


ALONE, WHOLE = (0.50, 0.51, 0.49), (0.80, 0.82, 0.81)
CURVE = {"2%": 0.2, "5%": 0.3, "10%": 0.6, "25%": 0.7, "100%": 0.9}


def curve(known: Known, changes: dict[str, float] | None = None) -> list[list[ScoredRun]]:
    """A strategy that closes this much of the gap, at each seed alike."""
    closed = CURVE | (changes or {})
    return [
        cell(known, "mine", speech, [a + share * (w - a) for a, w in zip(ALONE, WHOLE, strict=True)])
        for speech, share in closed.items()
    ]


def closure(known: Known, groups: list[list[ScoredRun]]) -> Any:
    alone, whole = cell(known, "text-only", "0", ALONE), cell(known, "direct-mix", "100%", WHOLE)
    return closure_of(groups, alone, whole, Evidence([alone, whole, *groups], known))


@pytest.mark.parametrize("turned", [False, True])
def test_the_headline_is_the_mean_over_six_budgets_of_which_0_is_text_only(turned: bool) -> None:
    known = Known()
    groups = curve(known)
    found = closure(known, groups[::-1] if turned else groups)
    assert found.missing == ()
    assert found.headline.value == pytest.approx(sum(CURVE.values()) / 6, abs=1e-3)
    assert found.headline.low < found.headline.value < found.headline.high
    assert {speech: round(span.value, 3) for speech, _, span in found.shares} == CURVE
    assert [share for _, share, _ in found.shares] == [0.02, 0.05, 0.1, 0.25, 1.0]


def test_what_was_measured_at_0_stands_there_instead_of_text_only() -> None:
    known = Known()
    groups = [*curve(known), [
        a_run(known, "mine", "0", (at, at), a + 0.1 * (w - a), clip_exposures=30)
        for at, (a, w) in enumerate(zip(ALONE, WHOLE, strict=True))
    ]]  # fmt: skip
    found = closure(known, groups)
    assert found.headline.value == pytest.approx((sum(CURVE.values()) + 0.1) / 6, abs=1e-3)


def test_minutes_are_those_that_were_bought_in_rising_order() -> None:
    known = Known()
    minutes = dict(closure(known, curve(known)).minutes)
    # 60 minutes in all: half is closed between 5 and 10 %, 80 % between 25 and 100 %.
    half, most = minutes[0.5], minutes[0.8]
    assert (half.low, half.high, half.after, half.by) == pytest.approx((3.0, 6.0, 3.0, 6.0))
    assert (most.low, most.high, most.most) == pytest.approx((15.0, 60.0, 60.0))


def beyond(value: float, reach: float) -> MeanEstimate:
    return MeanEstimate(value, value - reach, value + reach, 5, 0.0, 0.0, 0.5)


def test_a_bracket_ends_where_an_interval_first_holds_0() -> None:
    found = minutes_bracket(
        [1.0, 2.0, 3.0, 4.0, 5.0],
        [beyond(v, 0.2) for v in (-0.5, -0.1, -0.3, 0.1, 0.6)],
    )
    # At 2 and 4 the sign is not shown: at 3 it is, but the walk from below ended before.
    assert (found.low, found.high) == (1.0, 5.0)
    assert (found.after, found.by) == (3.0, 4.0)


def test_only_trained_local_or_retrained_rows_of_one_engine_are_compared() -> None:
    known = Known()
    mixing = cell(known, "direct-mix", "5%", VALUES["direct-mix"])
    mine = cell(known, "mine", "5%", VALUES["near"])
    claimed = cell(known, "claimed", "5%", VALUES["better"], tier="rescored")
    lifted = cell(known, "lifted", "5%", VALUES["worse"], tier="retrained")
    shot = cell(known, "zero-shot", "0", VALUES["worse"], updates=0)
    few = cell(known, "mine", "few115", VALUES["near"])
    other = cell(known, "mine", "5%", VALUES["better"], engine="f 1")
    fewer = cell(known, "mine", "5%", (0.9, 0.9), engine="e 2", tier="retrained")
    groups = [mixing, mine, claimed, lifted, shot, few, other, fewer]
    found = findings_of(groups, Evidence(groups, known))
    rankings = {(ranking.engine, ranking.speech): ranking for ranking in found.rankings}
    at = rankings["e 1", "5%"]
    assert {row.strategy for row in at.rows} == {"direct-mix", "mine", "lifted"}
    # Of two tiers of one cell the one of more seeds counts.
    assert next(row.seeds for row in at.rows if row.strategy == "mine") == 5
    assert rankings["f 1", "5%"].rows == ()
    assert {one.strategy for one in found.closures} == {"direct-mix", "mine", "lifted"}


def test_the_published_few_are_no_budget_of_a_curve() -> None:
    known = Known()
    groups = [*curve(known), cell(known, "mine", "few115", WHOLE)]
    groups += [cell(known, "text-only", "0", ALONE), cell(known, "direct-mix", "100%", WHOLE)]
    closures = findings_of(groups, Evidence(groups, known)).closures
    shares = {one.strategy: [speech for speech, _, _ in one.shares] for one in closures}
    assert shares == {"direct-mix": ["100%"], "mine": list(CURVE)}


def test_totals_are_of_all_seeds_and_three_of_them_at_least() -> None:
    known = Known()
    runs = cell(known, "mine", "5%", VALUES["near"])
    evidence = Evidence([runs], known)
    total = totals_over(runs, evidence)[Measure("slu_f1")]
    due = stats.t.interval(0.95, 4, np.mean(VALUES["near"]), stats.sem(VALUES["near"]))
    assert (total.low, total.high) == pytest.approx(due, abs=1e-4)
    assert total.value == pytest.approx(np.mean(VALUES["near"]))
    assert total.seeds == 5
    assert totals_over(runs[:2], Evidence([runs[:2]], known)) == {}
    del known._drawn[str(runs[4].row["scores_fingerprint"]), "speech", "slu_f1"]
    assert Measure("slu_f1") not in totals_over(runs, Evidence([runs], known))


def test_values_over_seeds_are_means_with_their_range_and_shared_slices() -> None:
    measure, here, there = Measure("slu_f1"), ("mic", "near"), ("mic", "far")
    runs = [
        ScoredRun(
            {}, {measure: Estimate(v)}, {here: Estimate(v / 2)} | ({there: Estimate(v)} if v < 0.5 else {})
        )
        for v in (0.4, 0.6, 0.8)
    ]
    found = measures_over(runs)[measure]
    assert (found.value, found.low, found.high) == pytest.approx((0.6, 0.4, 0.8))
    slices = slices_over(runs)
    assert set(slices) == {here}
    assert (slices[here].value, slices[here].low, slices[here].high) == pytest.approx((0.3, 0.2, 0.4))


def test_the_gap_is_to_text_only_of_the_same_train_seed_whatever_its_data_seed() -> None:
    def scored(seeds: tuple[int, int], speech: float, text: float) -> ScoredRun:
        told = {Measure("slu_f1"): Estimate(speech), Measure("slu_f1", "text"): Estimate(text)}
        return ScoredRun({"data_seed": seeds[0], "train_seed": seeds[1]}, told)

    alone = [scored((0, 1), 0.5, 0.9), scored((1, 0), 0.5, 0.7), scored((2, 0), 0.5, 0.8)]
    (found, forgetting) = (
        gaps_over([scored((0, 1), 0.6, 0.85)], alone)[Measure(*name)]
        for name in (("modality_gap",), ("forgetting", "text"))
    )
    assert (found.value, forgetting.value) == pytest.approx((0.3, 0.05))
    # Two runs of text-only at one train seed count by their mean.
    assert gaps_over([scored((9, 0), 0.6, 0.8)], alone)[Measure("modality_gap")].value == pytest.approx(0.15)
