"""Moments made once for a panel are those of each pair by itself."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from slubench.board.analysis.pairing import Evidence, aligned
from slubench.board.panels import cells_by_panel
from slubench.board.read.replicates import Replicates, read_replicates
from slubench.board.read.scores import read_scores
from slubench.board.runs import ScoredRun, runs_of
from tests.board.known_truth import PAPER, write_home, write_run


def cells(paths: list[Path]) -> tuple[list[list[ScoredRun]], Replicates]:
    (groups,) = cells_by_panel(runs_of(read_scores(paths).table))
    return groups, read_replicates(paths)


def test_pairs_are_parts_of_the_whole(tmp_path: Path) -> None:
    paths = write_home(tmp_path, PAPER, range(3))
    paths.append(write_run(tmp_path, "late", 0.05, 0.7, 1))
    paths.append(write_run(tmp_path, "late", 0.05, 0.7, 2))
    groups, replicates = cells(paths)
    evidence = Evidence(groups, replicates)
    known = 0
    for some in [*combinations(groups, 2), *combinations(groups[:4], 3)]:
        for metric in ("slu_f1", "exact_match"):
            one, other = evidence.aligned(some, metric), aligned(some, replicates, metric)
            assert (one is None) == (other is None)
            if one is None or other is None:
                continue
            known += 1
            assert one.seeds == other.seeds
            for name in ("means", "seed", "sentence"):
                mine, plain = getattr(one.measured, name), getattr(other.measured, name)
                assert mine == pytest.approx(plain, rel=1e-9, abs=1e-12), name
            weights = np.zeros(len(some))
            weights[:2] = 1.0, -1.0
            assert one.measured.estimate(weights).p == pytest.approx(other.measured.estimate(weights).p)
    assert known > 100


def test_runs_without_replicates_are_left_to_those_that_have_them(tmp_path: Path) -> None:
    paths = write_home(tmp_path, {("direct-mix", 0.05): 0.6, ("curriculum", 0.05): 0.7}, range(3))
    (next(path for path in paths if "curriculum" in path.name).parent / "replicates" / paths[3].name).unlink()
    groups, replicates = cells(paths)
    found = Evidence(groups, replicates).aligned(groups)
    assert found is not None
    assert found.seeds == 2
