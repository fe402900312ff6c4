"""A budget of 0 with spoken target data hears something: it is no reference, and is measured at 0."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from slubench.board.analysis.references import references_of
from slubench.board.panel import Panel
from slubench.board.panels import panels_of
from slubench.board.runs import runs_of
from slubench.schemas import SCORES
from tests.board.made_scores import score_rows


def rows(strategy: str, share: float, heard: int) -> list[dict[str, Any]]:
    return [
        row
        for seed in range(2)
        for row in score_rows(
            task="massive-fr-to-de",
            strategy=strategy,
            share=share,
            data_seed=seed,
            train_seed=seed,
            target="text+speech",
            clip_exposures=heard,
        )
    ]


def panel() -> Panel:
    made = [
        *rows("text-only", 0.0, 0),
        *rows("direct-mix", 0.0, 345),
        *rows("direct-mix", 0.05, 645),
        *rows("curriculum", 0.0, 345),
        *rows("curriculum", 0.05, 645),
    ]
    (found,) = panels_of(runs_of(pa.Table.from_pylist(made, schema=SCORES)))
    return found


def test_each_strategy_is_ranked_once_at_a_budget() -> None:
    rankings = {ranking.speech: ranking for ranking in panel().findings.rankings}
    assert set(rankings) == {"0", "5%"}
    for ranking in rankings.values():
        told = [name.partition(":")[0] for name in ranking.missing] + [row.strategy for row in ranking.rows]
        assert sorted(told) == sorted(set(told))


def test_what_hears_the_target_language_is_no_reference() -> None:
    names = {reference.cell.strategy for reference in references_of(panel(), "slu_f1")}
    assert names == {"text-only"}
