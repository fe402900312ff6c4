"""The marks of strategies: one a name, whatever else a board shows."""

from __future__ import annotations

from slubench.board.site.plot_style import DASHES, HEARING, SHAPES, mark_named, mark_of
from tests.board.made_scores import grid, panel, score_rows


def test_a_strategys_colour_stays_when_another_strategy_comes() -> None:
    before = {cell.strategy: mark_of(cell) for cell in panel(*grid(seeds=(0,))).cells}
    newer = [score_rows(strategy=name) for name in ("aaa", "briefly", "zzz")]
    after = {cell.strategy: mark_of(cell) for cell in panel(*grid(seeds=(0,)), *newer).cells}
    assert {name: after[name] for name in before} == before
    assert len(after) == len(before) + 3


def test_the_shelfs_strategies_and_many_others_look_unlike() -> None:
    shelf = ["text-only", "zero-shot", "zero-shot-ontology", "curriculum", "direct-mix", "speech-only"]
    assert len({mark_named(name) for name in shelf}) == len(shelf)
    others = [f"idea-{number}" for number in range(40)]
    marks = {mark_named(name) for name in others}
    assert not marks & {mark_named(name) for name in shelf}
    assert len(marks) > 30
    assert {mark.series for mark in marks} == set(range(2, 2 + HEARING))
    assert all(mark.shape < len(SHAPES) and mark.dash < len(DASHES) for mark in marks)
