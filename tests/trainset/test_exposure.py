"""What a cell hears is the same for every strategy that mixes, whatever the sizes of its pools."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slubench import SPEECH, TEXT, Clip, Meaning, Stage, Strategy, Utterance
from slubench.domain.budget import Budget
from slubench.domain.pool import Pool
from slubench.errors import DeclarationError, UsageError
from slubench.registry import Registry
from slubench.trainset.rules import beyond_budget, beyond_stages, beyond_updates
from slubench.trainset.train_set import Exposure, compose, exposure

STRATEGIES = Registry().strategies
MEANING = Meaning("alarm", "set")


def pool_of(written: int, bought: int) -> Pool:
    texts = [Utterance(str(n), "de", f"sentence {n}", MEANING) for n in range(written)]
    clips = [Utterance(str(n), "de", f"sentence {n}", MEANING, Clip("file", n)) for n in range(bought)]
    return Pool({"de": texts}, {"de": clips}, Budget.parse(str(bought)))


def heard(strategy: Strategy, pool: Pool, cell: Exposure) -> Counter[Clip]:
    found = Counter(
        clip for stage in compose(strategy, pool, cell, 0) for e in stage.examples for clip in e.clips
    )
    stages = compose(strategy, pool, cell, 0)
    assert not [
        *beyond_updates(stages, cell),
        *beyond_stages(strategy, stages, pool, cell),
        *beyond_budget(strategy, stages, pool, cell),
    ]
    return found


@settings(max_examples=150, deadline=None)
@given(
    written=st.integers(1, 120),
    spoken=st.integers(1, 600),
    part=st.floats(0.001, 1),
    batch=st.sampled_from([1, 4, 16, 128]),
)
def test_direct_mix_and_curriculum_hear_the_same_or_are_refused(
    written: int, spoken: int, part: float, batch: int
) -> None:
    bought = max(1, round(part * spoken))
    pool, cell = pool_of(written, bought), exposure(written, spoken, bought, batch)
    if cell.updates < 2:
        with pytest.raises(DeclarationError, match="2 stages of at least one update each"):
            heard(STRATEGIES["curriculum"], pool, cell)
        return
    if bought > cell.heard:
        for name in ("direct-mix", "curriculum"):
            with pytest.raises(UsageError, match="Strategies would not use the same clips"):
                compose(STRATEGIES[name], pool, cell, 0)
        return
    mixed, staged = (heard(STRATEGIES[name], pool, cell) for name in ("direct-mix", "curriculum"))
    assert set(mixed) == set(staged)
    assert len(mixed) == bought
    assert mixed.total() == staged.total() == cell.heard <= min(3 * bought, spoken)


def test_where_speech_is_no_more_than_three_times_the_text_nothing_is_refused() -> None:
    for written, spoken in ((240, 240), (240, 720), (11_514, 11_514), (2_000, 2_115)):
        cell = exposure(written, spoken, spoken, 16)
        assert cell.heard == spoken


def test_where_speech_is_plenty_both_hear_as_many_clips_as_half_of_the_updates_hold() -> None:
    """100 sentences, 1,000 recordings: 82 updates of 16, of which a curriculum listens in 41."""
    pool, cell = pool_of(100, 400), exposure(100, 1_000, 400, 16)
    mixed, staged = (heard(STRATEGIES[name], pool, cell) for name in ("direct-mix", "curriculum"))
    assert mixed.total() == staged.total() == 41 * 16
    assert set(mixed) == set(staged)
    with pytest.raises(UsageError, match=r"buys 900 clips, but curriculum can use only 656.*give less"):
        compose(STRATEGIES["curriculum"], pool_of(100, 900), exposure(100, 1_000, 900, 16), 0)


@settings(max_examples=60, deadline=None)
@given(bought=st.integers(1, 60), batch=st.sampled_from([4, 16, 128]))
def test_speech_only_hears_each_clip_twenty_times_where_its_updates_allow(bought: int, batch: int) -> None:
    found = heard(STRATEGIES["speech-only"], pool_of(600, bought), exposure(600, 600, bought, batch))
    assert set(found.values()) == {20}


def test_stages_of_speech_beside_others_share_the_clips_of_a_strategy_that_mixes() -> None:
    listens = Strategy(
        name="then-listen",
        stages=(Stage(learns_from=TEXT, share=1 / 2), Stage(learns_from=SPEECH, share=1 / 2)),
    )
    cell = exposure(240, 240, 12, 16)
    assert heard(listens, pool_of(240, 12), cell).total() == cell.heard == 36
    assert [stage.updates for stage in compose(listens, pool_of(240, 12), cell, 0)] == [30, 3]


def test_a_strategy_that_only_listens_without_passes_is_held_to_twenty() -> None:
    listens = Strategy(name="listen", stages=(Stage(learns_from=SPEECH),))
    assert set(heard(listens, pool_of(240, 3), exposure(240, 240, 3, 16)).values()) == {20}


def test_more_stages_than_updates_are_refused() -> None:
    many = Strategy(name="many", stages=tuple(Stage(learns_from=TEXT, share=0.1) for _ in range(10)))
    with pytest.raises(DeclarationError, match=r"many has 10 stages .*, 10 in all; the cell has 4"):
        compose(many, pool_of(16, 0), exposure(16, 16, 0, 16), 0)
