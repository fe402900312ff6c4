"""Stretches of recordings in examples: what may be used, how they are cut, and that they count once."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
import soundfile

from slubench import SPEECH, TEXT, Clip, Entity, Example, Meaning, Pool, Stage, Strategy, Utterance
from slubench.data.clips import ClipStore
from slubench.data.recordings import Recordings
from slubench.domain.budget import Budget
from slubench.domain.meaning import as_reply
from slubench.domain.pool import BudgetError
from slubench.errors import DeclarationError
from slubench.trainset.ledger import consumption
from slubench.trainset.rules import beyond_budget
from slubench.trainset.train_set import StageExamples, compose, exposure

MEANING = Meaning("alarm", "set", (Entity("time", "eight"),))
ROWS = [Utterance(str(n), "de", f"wake me at {n} please", MEANING, Clip("file", n)) for n in range(60)]
POOL = Pool({"de": ROWS}, {"de": ROWS[:10]}, Budget.parse("10"))
CELL = exposure(60, 60, 10, 16)


def composed(function: Callable[..., Any]) -> tuple[StageExamples, ...]:
    strategy = Strategy(name="mine", stages=(Stage(learns_from=TEXT | SPEECH, compose=function),))
    stages = compose(strategy, POOL, CELL, 0)
    assert not list(beyond_budget(strategy, stages, POOL, CELL))
    return stages


def of(*parts: str | Clip) -> Callable[..., Any]:
    def example(pool: Pool, rng: Random) -> Iterator[Example]:
        yield Example(parts, as_reply(MEANING), "0", "de")

    return example


def test_parts_of_a_recording_in_one_example_are_one_exposure_of_it() -> None:
    clip = ROWS[0].clip
    assert clip is not None
    (stage,) = composed(of(clip.part(0, 0.3), " me at ", clip.part(0.6, 1)))
    taken = consumption((stage,))
    assert set(taken.heard) == {("de", "0", clip)}
    assert taken.heard.total() == len(stage.examples) == CELL.heard


@pytest.mark.parametrize(
    ("parts", "error", "told"),
    [
        ((Clip("file", 0).part(0.5, 0.5),), DeclarationError, r"a part of a clip is from 0\.5 to 0\.5"),
        ((Clip("file", 0).part(-1, 0.5),), DeclarationError, "as in clip.part"),
        ((Clip("file", 0).part(0, 2),), DeclarationError, "as in clip.part"),
        ((Clip("file", 20).part(0, 0.5),), BudgetError, "not in the budget"),
        ((Clip("file", 1).part(0, 0.5),), BudgetError, "the clip of '1' for '0'"),
        (("call mum",), BudgetError, "the text 'call mum' of '0' .* is neither"),
        (("ke me",), BudgetError, "the text 'ke me' of '0' .* is neither"),
    ],
)
def test_a_wrong_part_is_told(parts: tuple[str | Clip, ...], error: type[Exception], told: str) -> None:
    with pytest.raises(error, match=told):
        composed(of(*parts))


def test_a_part_is_cut_out_once_and_has_its_share_of_the_length(tmp_path: Path) -> None:
    file = io.BytesIO()
    soundfile.write(file, np.linspace(-0.5, 0.5, 16_000), 16_000, format="WAV")
    store, clip = ClipStore(tmp_path, 16_000, 30.0), Clip("file", 0)
    recordings = Recordings(store, {clip: store.add(file.getvalue())})
    part = clip.part(0.25, 0.75)
    assert recordings.seconds(part) == 0.5
    whole = store.load(recordings.key(clip))
    assert np.array_equal(store.load(recordings.key(part)), whole[4_000:12_000])
    assert recordings.key(part) == recordings.key(clip.part(0.25, 0.75)) != recordings.key(clip)
    # Too short for a token of audio: filled up with silence.
    assert recordings.seconds(clip.part(0, 0.01)) == 0.1
