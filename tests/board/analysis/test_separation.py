"""One notion of separation, on page and terminal; reasons of gap closed; what pairs with what."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from slubench.board.analysis.gap_closed import minutes_bracket
from slubench.board.analysis.pairing import shared_seeds
from slubench.board.analysis.ranking import same_quality
from slubench.board.analysis.separation import paired, together
from slubench.board.comparisons import Difference
from slubench.board.panel import Panel
from slubench.board.panels import LEAVES_SPEAKERS_OUT, cells_by_panel, panels_of
from slubench.board.read.replicates import read_replicates
from slubench.board.read.scores import read_scores
from slubench.board.runs import ScoredRun, runs_of
from slubench.cli.app import app
from slubench.metrics.contrasts import Moments
from slubench.metrics.statistics import estimate_of
from slubench.runtime.home import REPLICATES, beside
from slubench.schemas import SCORES
from tests.board.known_truth import PAPER, write_home, write_run
from tests.board.made_scores import scored


def shown(paths: list[Path]) -> Panel:
    (panel,) = panels_of(runs_of(read_scores(paths).table), read_replicates(paths))
    return panel


def difference(value: float, error: float) -> Moments:
    """Two quantities whose difference has this value and this standard error, from seeds alone."""
    seed = np.array([[error**2, 0.0], [0.0, 0.0]])
    tiny = np.array([[1e-9, 0.0], [0.0, 0.0]])
    return Moments(np.array([0.5 + value, 0.5]), seed, tiny, 5, 500)


def test_what_is_looked_at_together_is_corrected_together() -> None:
    one = paired(difference(0.03, 0.009))
    (alone,) = together([one])
    assert alone.verdict == "better"
    many = together([one, *[paired(difference(0.001, 0.009))] * 9])
    assert many[0].verdict == "not separated"
    assert many[0].p > alone.p
    assert many[0].comparisons == 10
    # The interval beside it is of the same correction.
    assert many[0].low < 0 < alone.low


def test_no_tie_is_claimed_where_nothing_varied() -> None:
    near = Difference(0.0, -0.001, 0.001, 5, 1.0)
    assert near.verdict == "tie"
    assert replace(near, degenerate=True).verdict == "not separated"


def test_page_and_terminal_say_one_thing_of_a_pair(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "slubench.board.score_files",
        lambda home: sorted(Path(home).glob("leaderboard/scores/*.parquet")),
    )
    near = {(f"idea-{number}", 0.05): 0.6 + 0.002 * number for number in range(5)}
    more = {("direct-mix", 0.1): 0.6, ("curriculum", 0.1): 0.7}
    paths = write_home(tmp_path, {("direct-mix", 0.05): 0.6, ("curriculum", 0.05): 0.62, **near, **more})
    ranking = next(one for one in shown(paths).findings.rankings if one.speech == "5%")
    assert len(ranking.pairs) == 21
    arguments = ["compare", "curriculum", "direct-mix", "--home", str(tmp_path), "--json"]
    found = json.loads(CliRunner().invoke(app, arguments).stdout)
    told = next(one for one in found if one["speech"] == "5%")
    assert next(one for one in found if one["speech"] == "10%")["difference"]["comparisons"] == 1
    row = next(row for row in ranking.rows if row.strategy == "curriculum")
    assert row.difference is not None
    assert told["verdict"] == row.difference.verdict
    assert told["difference"]["p"] == row.difference.p
    assert told["difference"]["low"] == row.difference.low
    assert told["difference"]["comparisons"] == 21


def test_ranks_part_exactly_the_pairs_that_are_better_or_worse(tmp_path: Path) -> None:
    near = {(f"idea-{number}", 0.05): 0.6 + 0.015 * number for number in range(6)}
    ranking = shown(write_home(tmp_path, {("direct-mix", 0.05): 0.6, **near})).findings.rankings[0]
    verdicts = {row.strategy: {"better": 0, "worse": 0, "tie": 0, "not separated": 0} for row in ranking.rows}
    for (first, second), found in ranking.pairs.items():
        verdicts[first][found.verdict] += 1
        verdicts[second][found.turned().verdict] += 1
        assert (found.verdict == "not separated") <= (found.low <= 0 <= found.high)
    assert any(counts["not separated"] for counts in verdicts.values())
    assert any(counts["better"] for counts in verdicts.values())
    for row in ranking.rows:
        counts = verdicts[row.strategy]
        assert (row.first, row.last) == (1 + counts["worse"], len(ranking.rows) - counts["better"])


def test_a_difference_turned_round_is_that_of_the_other() -> None:
    turned = Difference(0.02, 0.01, 0.04, 5, 0.01).turned()
    assert (turned.value, turned.low, turned.high, turned.verdict) == (-0.02, -0.04, -0.01, "worse")


class Known:
    """Evidence that a strategy is behind by this much, with this standard error."""

    def __init__(self, behind: float, error: float = 0.0001) -> None:
        self.measured, self.seeds = difference(-behind, error), 5

    def aligned(self, groups: object, metric: str = "slu_f1") -> Known:
        return self


@pytest.mark.parametrize(
    ("known", "same"),
    [
        (Known(0.0025), True),
        (Known(0.01), False),
        # The interval of one pair would be within half a point, that for all pairs is not.
        (Known(0.0, 0.0015), False),
    ],
)
def test_equal_quality_allows_half_a_point_and_not_nothing(tmp_path: Path, known: Known, same: bool) -> None:
    levels = {("curriculum", 0.02): 0.6, **{("direct-mix", share): 0.6 for share in (0.05, 0.1, 0.25)}}
    paths = write_home(tmp_path, levels, range(2))
    (groups,) = cells_by_panel(runs_of(read_scores(paths).table))
    ours, theirs = (
        [g for g in groups if g[0].row["strategy"] == name] for name in ("curriculum", "direct-mix")
    )
    found = list(same_quality(ours, theirs, known))  # type: ignore[arg-type]
    assert [one.other for one in found] == (["25%"] if same else [])


def made(strategy: str, share: float, data_seed: int, train_seed: int) -> ScoredRun:
    rows = scored(strategy, share, 0.5, data_seed=data_seed, train_seed=train_seed)
    (run,) = runs_of(pa.Table.from_pylist(rows, schema=SCORES))
    return run


def test_runs_with_speech_pair_by_their_clips_and_not_by_the_train_seed_alone() -> None:
    ours = [made("curriculum", 0.05, data, 0) for data in (0, 1)]
    theirs = [made("direct-mix", 0.05, data, 0) for data in (1, 2)]
    first, second = shared_seeds([ours, theirs])
    assert [run.seeds for run in first] == [run.seeds for run in second] == [(1, 0)]


def test_a_gap_that_turned_round_is_not_told(tmp_path: Path) -> None:
    levels = {**PAPER, ("direct-mix", 1.0): 0.3}
    for closure in shown(write_home(tmp_path, levels)).findings.closures:
        assert closure.shares == ()
        assert closure.headline is None
        assert closure.minutes == ()
        assert closure.missing == ("a gap: direct-mix at 100 % is worse than text-only at 0",)


def test_a_gap_whose_sign_is_not_shown_is_not_told(tmp_path: Path) -> None:
    levels = {**PAPER, ("direct-mix", 1.0): 0.502}
    (closure, *_) = shown(write_home(tmp_path, levels)).findings.closures
    assert closure.missing == (
        "a significant gap: direct-mix at 100 % is not shown to be better than text-only at 0",
    )


def test_a_cell_with_one_seed_takes_away_that_cell_and_says_so(tmp_path: Path) -> None:
    levels = {key: level for key, level in PAPER.items() if key != ("curriculum", 0.1)}
    paths = [*write_home(tmp_path, levels), write_run(tmp_path, "curriculum", 0.1, 0.7, 0)]
    closure = next(one for one in shown(paths).findings.closures if one.strategy == "curriculum")
    assert [speech for speech, _, _ in closure.shares] == ["2%", "5%", "25%", "100%"]
    assert closure.seeds == 5
    assert closure.headline is None
    (missing,) = closure.missing
    assert missing.startswith("at 10")
    assert missing.endswith("two seeds shared with text-only at 0 and direct-mix at 100 %")


def test_scores_of_two_scorers_are_not_paired_and_the_reason_is_not_seeds(tmp_path: Path) -> None:
    paths = write_home(tmp_path, {("direct-mix", 0.05): 0.6, ("curriculum", 0.05): 0.7}, range(3))
    for path in paths[:3]:
        place = beside(path, REPLICATES)
        table = pq.read_table(place)
        at = table.schema.get_field_index("speakers")
        speakers = pa.array([40] * len(table), pa.int32())
        pq.write_table(table.set_column(at, table.schema.field("speakers"), speakers), place)
    (ranking,) = shown(paths).findings.rankings
    assert ranking.rows == ()
    (missing,) = ranking.missing
    assert missing.startswith("curriculum: replicates of the same sentences and speakers as direct-mix")


def test_the_page_says_that_intervals_leave_unknown_speakers_out(tmp_path: Path) -> None:
    assert LEAVES_SPEAKERS_OUT in shown(write_home(tmp_path, {("direct-mix", 0.05): 0.6}, range(2))).notes


def test_the_interval_of_speech_is_not_shown_for_text(tmp_path: Path) -> None:
    (cell,) = shown(write_home(tmp_path, {("direct-mix", 0.05): 0.6})).cells
    speech, text = cell.estimate("slu_f1"), cell.estimate("slu_f1", "text")
    assert speech is not None
    assert text is not None
    # Replicates are kept of both, and totals are made of speech alone: text has the range of its seeds.
    assert speech.kind.startswith("95 % interval for other seeds")
    assert text.kind == "range of 5 seeds"
    assert (speech.low, speech.high) != (text.low, text.high)


def beyond(value: float) -> object:
    return estimate_of(value, 0.001**2, 0.0, 5, 500)


@pytest.mark.parametrize(
    ("values", "bracket"),
    [
        ((-0.1, 0.1, 0.2), (5, 25, 5, 25)),
        ((0.1, 0.1, 0.2), (0, 5, 0, 5)),
        ((-0.1, 0.0005, 0.2), (5, 100, 5, 25)),
        ((-0.0005, 0.1, 0.2), (0, 25, 5, 25)),
        ((-0.3, -0.2, -0.1), (100, None, 100, None)),
        ((-0.1, -0.0005, 0.0005), (5, None, 25, 100)),
    ],
)
def test_minutes_lie_between_what_is_shown_below_and_what_is_shown_above(
    values: tuple[float, ...], bracket: tuple[float | None, ...]
) -> None:
    found = minutes_bracket([5, 25, 100], [beyond(value) for value in values])  # type: ignore[misc]
    assert (found.low, found.high, found.after, found.by) == bracket
