"""`pool.speak`: who may use it, what may be said, and that it counts apart from the budget."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib.metadata import PackageNotFoundError
from importlib.util import find_spec
from pathlib import Path
from random import Random
from typing import Any

import pytest

from slubench import SPEECH, TEXT, Clip, Entity, Example, Meaning, Pool, Stage, Strategy, Utterance
from slubench.conformance.stand_in import say_nothing
from slubench.data.clips import ClipStore
from slubench.data.recordings import Recordings
from slubench.data.synthesis import SynthesisError
from slubench.domain.budget import Budget
from slubench.domain.pool import BudgetError
from slubench.domain.utterance import SpokenClip
from slubench.errors import DeclarationError, MissingError
from slubench.pipeline import spoken_clips
from slubench.pipeline.spoken_clips import StageSpeaker
from slubench.trainset.ledger import PoolContents, consumption, count
from slubench.trainset.rules import beyond_budget, beyond_stages, beyond_updates
from slubench.trainset.train_set import StageExamples, compose, exposure
from tests.lacking import lacking

MEANING = Meaning("alarm", "set", (Entity("time", "eight"),))
ROWS = [Utterance(str(n), "de", f"wake me at {n}", MEANING, Clip("file", n)) for n in range(60)]
POOL = Pool({"de": ROWS}, {"de": ROWS[:10]}, Budget.parse("10"))
CELL = exposure(60, 60, 10, 16)


def composed(
    function: Callable[..., Any], speak: Any = say_nothing, track: str = "open", **declared: Any
) -> tuple[StageExamples, ...]:
    stage = Stage(**{"learns_from": TEXT | SPEECH, "compose": function, **declared})
    strategy = Strategy(name="mine", track=track, stages=(stage,))
    stages = compose(strategy, POOL, CELL, 0, speak=speak)
    assert not [
        *beyond_updates(stages, CELL),
        *beyond_stages(strategy, stages, POOL, CELL),
        *beyond_budget(strategy, stages, POOL, CELL),
    ]
    return stages


def say_all(pool: Pool, rng: Random) -> Iterator[Example]:
    rows = pool.text()
    for utterance, clip in zip(rows, pool.speak((u.text for u in rows), ("de", "de+f2")), strict=True):
        yield replace(Example.written(utterance), parts=(clip,))


def test_texts_are_spoken_in_their_order_by_the_voices_in_turn() -> None:
    (stage,) = composed(say_all)
    first, second = stage.examples[0].clips[0], stage.examples[1].clips[0]
    assert isinstance(first, SpokenClip)
    assert isinstance(second, SpokenClip)
    assert (first.text, first.voice, second.voice) == ("wake me at 0", "de", "de+f2")


def test_synthetic_speech_counts_apart_and_is_never_the_budget_s() -> None:
    stages = composed(say_all)
    assert sum(len(example.clips) for example in stages[0].examples) == 15 * 16 > CELL.heard
    taken = consumption(stages)
    assert (taken.heard.total(), len(taken.spoken), taken.spoken.total()) == (0, 60, 240)
    ledger = count(stages, PoolContents(60), lambda clip: 3.0)
    assert (ledger.spoken_unique, ledger.spoken_exposures) == (60, 240)
    assert ledger.spoken_minutes == pytest.approx(12.0)
    assert (ledger.clips_unique, ledger.minutes_exposed, ledger.clips_bought) == ({}, {}, 0)


def test_a_strategy_without_recordings_may_speak_all_text() -> None:
    (stage,) = composed(say_all, learns_from=TEXT)
    assert len(stage.examples) == 240


def once(text: str) -> Callable[..., Any]:
    def says(pool: Pool, rng: Random) -> Iterator[Example]:
        (clip,) = pool.speak([text], ["de"])
        yield replace(Example.written(pool.text()[0]), parts=(clip,))

    return says


def test_what_is_said_must_be_the_utterance_s_words() -> None:
    with pytest.raises(BudgetError, match=r"the synthetic speech 'call mum' of '0' .* nor|is neither"):
        composed(once("call mum"))
    with pytest.raises(BudgetError, match="the synthetic speech 'wake me at 1' of '0'"):
        composed(once("wake me at 1"))


def test_the_closed_track_does_not_speak() -> None:
    with pytest.raises(DeclarationError, match=r"stage 1 calls pool.speak: .*Strategy\(track=.open"):
        composed(say_all, track="closed")


def test_where_nothing_speaks_the_stage_is_named() -> None:
    with pytest.raises(DeclarationError, match=r"mine, stage 1 calls pool.speak, and nothing can be spoken"):
        composed(say_all, speak=None)


@pytest.mark.parametrize(
    "call",
    [
        lambda pool: pool.speak("one text", ["de"]),
        lambda pool: pool.speak(["one"], "de"),
        lambda pool: pool.speak(["one"], []),
        lambda pool: pool.speak([""], ["de"]),
        lambda pool: pool.speak([None], ["de"]),
    ],
)
def test_wrong_texts_and_voices_are_told(call: Callable[[Pool], Any]) -> None:
    with pytest.raises(DeclarationError, match=r"pool\.speak"):
        composed(lambda pool, rng: call(pool))


def speaker(folder: Path) -> StageSpeaker:
    return StageSpeaker(folder / "spoken", Recordings(ClipStore(folder / "clips", 16_000, 30.0)))


def test_a_synthesiser_says_the_same_twice_and_is_asked_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if find_spec("espeakng_loader") is None:
        lacking("espeakng-loader is not installed (pip install slubench[tts])")
    says = speaker(tmp_path)
    wanted = [("weck mich um acht", "de"), ("weck mich um acht", "de+f2")]
    spoken = says(wanted)
    recordings = says.with_spoken(says.recordings)
    assert all(0.5 < recordings.seconds(clip) < 5 for clip in spoken.values())
    assert len(set(recordings.keys.values())) == 2
    other = speaker(tmp_path / "other")
    other(wanted)
    assert list(other.keys.values()) == list(says.keys.values())
    monkeypatch.setattr(StageSpeaker, "_speak", lambda *_: pytest.fail("it spoke again"))
    assert speaker(tmp_path)(wanted) == spoken


def test_an_unknown_voice_is_told(tmp_path: Path) -> None:
    if find_spec("espeakng_loader") is None:
        lacking("espeakng-loader is not installed (pip install slubench[tts])")
    with pytest.raises(SynthesisError, match="no voice 'xx-nowhere'"):
        speaker(tmp_path)([("hallo", "xx-nowhere")])


def test_without_a_synthesiser_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def lacks(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(spoken_clips, "version", lacks)
    with pytest.raises(MissingError, match=r"pip install slubench\[tts\]"):
        speaker(tmp_path)([("hallo", "de")])
