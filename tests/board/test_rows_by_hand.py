"""Score rows become runs and comparisons: each number from its own rows, and none that may not be shown."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from slubench.board.analysis.compare_runs import RunPair, compare, pairs_of
from slubench.board.comparisons import Difference
from slubench.board.panel import Measure
from slubench.board.panels import panels_of
from slubench.board.read.public import may_be_shown
from slubench.board.read.sums import SumsBeside
from slubench.board.runs import ScoredRun, runs_of
from slubench.domain.metric import Counting
from slubench.metrics import ClusterSums, Count, cluster_sums, shipped
from slubench.metrics.measures import SLURP
from slubench.metrics.statistics import randomisation_p
from slubench.schemas import SCORES
from tests.board.made_scores import score_rows


def told(value: float, **changes: Any) -> dict[str, Any]:
    """One row of a run; its interval and number follow from its value."""
    row = score_rows(strategy="mine")[0]
    ends = {"value": value, "low": value - 0.02, "high": value + 0.04}
    return row | ends | {"metric": "slu_f1", "input": "speech", "normalised": True} | changes


def runs(*rows: dict[str, Any]) -> list[ScoredRun]:
    return runs_of(pa.Table.from_pylist(list(rows), schema=SCORES))


def test_each_number_of_a_run_is_that_of_its_own_row() -> None:
    (run,) = runs(
        told(0.5),
        told(0.4, normalised=False),
        told(0.9, input="text"),
        told(0.3, metric="exact_match"),
        told(0.6, slice_by="mic", slice="near"),
        told(0.1, slice_by="mic", slice="near", normalised=False),
        told(0.2, slice_by="mic", slice="near", input="text"),
        told(0.25, slice_by="mic", slice="near", metric="exact_match"),
    )
    values = {measure: estimate.value for measure, estimate in run.measures.items()}
    assert values == {
        Measure("slu_f1"): 0.5,
        Measure("slu_f1", "speech", False): 0.4,
        Measure("slu_f1", "text"): 0.9,
        Measure("exact_match"): 0.3,
    }
    assert {key: one.value for key, one in run.slices.items()} == {("mic", "near"): 0.6}
    for estimate in (*run.measures.values(), *run.slices.values()):
        low, high = estimate.value - 0.02, estimate.value + 0.04
        assert (estimate.low, estimate.high) == pytest.approx((low, high))


def test_a_run_tells_its_seeds_in_order_and_its_budget_only_where_it_heard() -> None:
    (run,) = runs(told(0.5, data_seed=3, train_seed=8, speech="5%", clip_exposures=7, speakers=12))
    assert (run.seeds, run.speech, run.uses_speech, run.speakers) == ((3, 8), "5%", True, 12)
    (silent,) = runs(told(0.5, speech="5%", clip_exposures=0))
    assert (silent.speech, silent.uses_speech, silent.speakers) == ("0", False, 0)


def test_slices_of_one_set_of_scores_stay_with_their_task() -> None:
    found = runs(
        told(0.5, task="a", scores_fingerprint="s"),
        told(0.7, task="b", scores_fingerprint="s"),
        told(0.6, task="a", scores_fingerprint="s", slice_by="mic", slice="near"),
    )
    assert [(run.row["task"], len(run.slices)) for run in found] == [("a", 1), ("b", 0)]


def test_a_gap_is_to_text_only_that_the_same_engine_answered() -> None:
    def row(strategy: str, engine: str, value: float, input_kind: str, heard: int) -> dict[str, Any]:
        named = {"strategy": strategy, "engine": engine, "scores_fingerprint": f"{strategy} {engine}"}
        return told(value, input=input_kind, clip_exposures=heard, speech="5%" if heard else "0", **named)

    made = [row("text-only", engine, text, "text", 0) for engine, text in (("e 1", 0.9), ("f 1", 0.7))]
    made += [row("mine", engine, 0.6, "speech", 9) for engine in ("e 1", "f 1")]
    (panel,) = panels_of(runs(*made))
    gaps = {c.engine: c.estimate("modality_gap") for c in panel.cells if c.strategy == "mine"}
    assert {engine: gap and round(gap.value, 6) for engine, gap in gaps.items()} == {"e 1": 0.3, "f 1": 0.1}


@pytest.mark.parametrize(
    ("column", "speakers", "shown"),
    [
        ("all", None, True), ("all", 1, True), ("mic", 4, False), ("mic", 5, True), ("mic", None, False),
        ("intent", 4, False), ("intent", 5, True), ("intent", None, True), ("speaker", None, False),
    ],
)  # fmt: skip
def test_a_slice_is_shown_from_five_speakers_on(column: str, speakers: int | None, shown: bool) -> None:
    assert may_be_shown(column, speakers) is shown


@pytest.mark.parametrize(
    ("difference", "verdict"),
    [
        (Difference(0.0, -0.02, 0.004, 5, 0.9), "not separated"),
        (Difference(0.0, -0.004, 0.02, 5, 0.9), "not separated"),
        (Difference(0.0, -0.005, 0.005, 5, 0.9), "tie"),
        (Difference(0.02, 0.001, 0.04, 5, 0.0499), "better"),
        (Difference(0.02, -0.001, 0.04, 5, 0.05), "not separated"),
    ],
)
def test_a_tie_is_small_on_both_sides(difference: Difference, verdict: str) -> None:
    assert difference.verdict == verdict


class Beside(SumsBeside):
    """Sums by run, input and column."""

    def __init__(self, known: dict[tuple[str, str, str], dict[str, ClusterSums]]) -> None:
        super().__init__({})
        self.known = known

    def find(
        self, fingerprint: str, counting: Counting, input_kind: str, by: str = "all"
    ) -> dict[str, ClusterSums]:
        return self.known.get((fingerprint, input_kind, by), {}) if counting == SLURP else {}


def sums(right: list[int], speakers: int = 6) -> ClusterSums:
    """Sentences a, b, c ..., each by another speaker, with this many right answers of one."""
    counts = np.zeros((len(right), len(Count)))
    counts[:, Count.ITEMS] = 1
    counts[:, Count.EXACT] = counts[:, Count.INTENT_TP] = right
    names = [chr(ord("a") + at) for at in range(len(right))]
    return cluster_sums(counts, names, [f"p{at % speakers}" for at in range(len(right))])


def pair(first: list[str], second: list[str]) -> RunPair:
    def made(name: str) -> ScoredRun:
        return runs(told(0.5, scores_fingerprint=name))[0]

    return RunPair(
        [made(name) for name in first], [made(name) for name in second], ("one", "two"), len(first) > 1
    )


ACCURACY = shipped()["intent_accuracy"]


def test_two_models_differ_by_their_own_answers_and_say_on_which_sentences() -> None:
    ours, theirs = [1, 1, 1, 0, 1, 1, 0, 1], [1, 0, 1, 1, 0, 0, 0, 0]
    known = {
        ("a", "speech", "all"): {"all": sums(ours)},
        ("b", "speech", "all"): {"all": sums(theirs)},
        ("a", "text", "all"): {"all": sums(theirs)},
        ("b", "text", "all"): {"all": sums(ours)},
    }
    given: dict[str, Any] = {"metric": ACCURACY, "by": "all"}
    (spoken,) = compare([pair(["a"], ["b"])], Beside(known), input_kind="speech", **given)
    (written,) = compare([pair(["a"], ["b"])], Beside(known), input_kind="text", **given)
    assert (spoken.difference.value, written.difference.value) == pytest.approx((3 / 8, -3 / 8))
    assert (spoken.fixed, spoken.broken) == ({"b": 1, "e": 1, "f": 1, "h": 1}, {"d": 1})
    assert (written.fixed, written.broken) == ({"d": 1}, {"b": 1, "e": 1, "f": 1, "h": 1})
    p = randomisation_p(sums(ours), sums(theirs), ACCURACY.measure)
    assert spoken.difference.p == p
    assert spoken.difference.low < 3 / 8 < spoken.difference.high
    assert spoken.difference.seeds == 1


def test_over_several_runs_sentences_change_by_the_mean() -> None:
    known = {
        (name, "speech", "all"): {"all": sums(right)}
        for name, right in (("a", [1, 1, 0]), ("b", [1, 0, 0]), ("c", [0, 0, 1]), ("d", [1, 0, 0]))
    }
    (found,) = compare([pair(["a", "b"], ["c", "d"])], Beside(known), ACCURACY, input_kind="speech", by="all")
    assert found.fixed == {"a": 0.5, "b": 0.5}
    assert found.broken == {"c": 0.5}
    assert (found.difference.value, found.difference.seeds) == pytest.approx((1 / 6, 2))


def test_slices_of_few_speakers_and_those_where_nothing_is_right_are_left_out() -> None:
    def sliced(right: list[int]) -> dict[str, ClusterSums]:
        few, none = sums(right, speakers=4), sums([0] * 8)
        return {"many": sums(right), "few": few, "none": none}

    known = {
        ("a", "speech", "mic"): sliced([1] * 8),
        ("b", "speech", "mic"): sliced([1, 1, 1, 1, 0, 0, 0, 0]),
    }
    found = compare([pair(["a"], ["b"])], Beside(known), ACCURACY, input_kind="speech", by="mic")
    assert [one.slice for one in found] == [("mic", "many")]


def test_only_runs_of_one_engine_tier_and_budget_are_paired() -> None:
    def row(strategy: str, speech: str, **changes: Any) -> dict[str, Any]:
        named = {"strategy": strategy, "speech": speech, "scores_fingerprint": f"{strategy}{speech}{changes}"}
        return told(0.5, clip_exposures=0 if speech == "0" else 9, **named | changes)

    made = runs(
        row("one", "5%"), row("one", "10%"), row("two", "5%"), row("two", "0"),
        row("two", "10%", engine="other 1"), row("two", "10%", tier="claimed"),
    )  # fmt: skip
    found = [
        (pair.first[0].speech, pair.second[0].speech, pair.second[0].engine, pair.second[0].row["tier"])
        for pair in pairs_of(made, "one", "two")
    ]
    engine = made[0].engine
    assert sorted(found) == sorted(
        [("5%", "5%", engine, "local"), ("5%", "0", engine, "local"), ("10%", "0", engine, "local")]
    )
