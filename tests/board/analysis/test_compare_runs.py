"""Two runs compared by any metric: intervals hold the difference that is told."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from slubench.board.analysis.compare_runs import compare, pairs_of
from slubench.board.read.scores import read_scores
from slubench.board.read.sums import SumsBeside
from slubench.board.runs import runs_of
from slubench.metrics import cluster_sums
from slubench.metrics.words import WER, WORDS
from slubench.scoring.sidecars import SliceSums, write_parts
from tests.board.known_truth import SENTENCES, write_run


@pytest.mark.parametrize("seeds", [1, 3])
def test_a_difference_of_word_error_rates_above_100_percent_lies_in_its_interval(
    tmp_path: Path, seeds: int
) -> None:
    paths = []
    for strategy, rate in (("direct-mix", 2.0), ("curriculum", 0.2)):
        for seed in range(seeds):
            path = write_run(tmp_path, strategy, 0.05, 0.5, seed)
            (fingerprint,) = read_scores([path]).sources
            edits = np.random.default_rng([seed, int(10 * rate)]).poisson(8 * rate, len(SENTENCES))
            counts = np.stack([edits, np.full(len(SENTENCES), 8.0)], axis=1)
            sums = cluster_sums(counts, SENTENCES)
            part = SliceSums("speech", "all", "all", True, WORDS, sums)
            write_parts(path.parent, path.name, fingerprint, [part], [WER])
            paths.append(path)
    pairs = pairs_of(runs_of(read_scores(paths).table), "direct-mix", "curriculum")
    sums_beside = SumsBeside(read_scores(paths).sources)
    (found,) = compare(pairs, sums_beside, WER, input_kind="speech", by="all")
    told = found.difference
    assert told.seeds == seeds
    assert told.value > 1.5
    assert told.value - 0.3 < told.low < told.value < told.high < told.value + 0.3
