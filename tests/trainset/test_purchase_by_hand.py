"""What a budget buys, from rows made by hand: which recording, what is paid for, and what opens with it."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from slubench.data.clips import ClipStore
from slubench.data.recordings import Recordings
from slubench.data.rows import Rows
from slubench.domain.budget import Budget
from slubench.domain.meaning import Meaning
from slubench.domain.utterance import Clip, Utterance
from slubench.registry import Registry
from slubench.trainset import purchase as module
from slubench.trainset.purchase import Purchase, buys_all, purchase

TASK = Registry().task("massive-fr-to-de")
assert TASK.target_text is not None


def rows(language: str, ids: Iterable[int], recordings: str = "ab", split: str = "train") -> list[Utterance]:
    def clip(number: int, recording: str) -> Clip:
        return Clip(f"{language}-{split}-{number}{recording}")

    meaning = Meaning("a", "b")
    return [
        Utterance(
            str(n), language, f"{language} {n}", meaning, clip(n, r), r, "s", {"mic": r}, synthetic=r == "b"
        )
        for n in ids
        for r in recordings
    ]


FRENCH, FEW_FRENCH = rows("fr", range(12)), rows("fr", range(5), "c", "few")
FEW_GERMAN = rows("de", range(3, 7), "ab", "few")
GERMAN = [dataclasses.replace(u, clip=None, recording="") for u in rows("de", range(20), "x")]
THERE = {
    (TASK.corpus.name, "fr", TASK.train): FRENCH,
    (TASK.corpus.name, "fr", TASK.speech_split): FRENCH,
    (TASK.corpus.name, "fr", TASK.few): FEW_FRENCH,
    (TASK.corpus.name, "de", TASK.few): FEW_GERMAN,
    (TASK.target_text.name, "de", "train"): GERMAN,
}
SHARDS = tuple(
    SimpleNamespace(corpus=SimpleNamespace(name=name), language=language, split=split)
    for name, language, split in THERE
)
STORE = ClipStore(Path("store"), 16_000, 6.0)
BROKEN = "fr-train-4"


@dataclasses.dataclass(frozen=True)
class Decoded(Recordings):
    """Clips that last half a minute each."""

    def seconds(self, clip: Clip) -> float:
        return 30.0


@pytest.fixture(autouse=True)
def _rows(monkeypatch: pytest.MonkeyPatch) -> None:
    def read(shards: Any) -> Rows:
        return Rows(tuple(THERE[shards.corpus.name, shards.language, shards.split]), ())

    def decode(utterances: Iterable[Utterance], *given: Any) -> Recordings:
        clips = [u.clip for u in utterances if u.clip is not None]
        return Decoded(STORE, {clip: clip.file for clip in clips if not clip.file.startswith(BROKEN)})

    monkeypatch.setattr(module, "read_rows", read)
    monkeypatch.setattr(module, "decode_recordings", decode)


def bought(speech: str, target: str = "none", seed: int = 0, uses_speech: bool = True) -> Purchase:
    budget = dataclasses.replace(Budget.parse(speech), target=target)
    return purchase(TASK, cast(Any, SHARDS), budget, seed, STORE, uses_speech=uses_speech)


def drawn(utterances: list[Utterance], seed: int) -> list[Clip]:
    """One recording a sentence by its hash, in the order of purchase."""

    def sha(text: str) -> bytes:
        return hashlib.sha256(text.encode()).digest()

    by_id: dict[str, list[Utterance]] = {}
    for u in utterances:
        by_id.setdefault(u.id, []).append(u)
    one = [min(some, key=lambda u: sha(f"{seed}:{u.id}:{u.recording}")) for some in by_id.values()]
    return [u.clip for u in sorted(one, key=lambda u: sha(f"{seed}:{u.id}")) if u.clip]


@pytest.mark.parametrize("seed", [0, 5])
def test_of_each_sentence_one_recording_is_for_sale_drawn_by_the_data_seed(seed: int) -> None:
    found = bought("50%", seed=seed)
    assert list(found.bought) == drawn(FRENCH, seed)[:6]
    assert (found.written, found.spoken) == (12, 12)  # sentences, and one recording of each
    assert {u.clip for u in found.pool.speech()} == {c for c in found.bought if not c.file.startswith(BROKEN)}
    assert found.synthetic == {clip for clip in found.bought if clip.file.endswith("b")}


def test_all_recordings_are_for_sale_where_it_is_said() -> None:
    found = bought("100%+all-recordings")
    assert (len(found.bought), found.spoken, found.written) == (24, 24, 12)


def test_a_clip_that_does_not_decode_stays_paid_for_and_is_not_heard() -> None:
    found = bought("100%")
    assert len(found.bought) == 12
    assert len(found.pool.speech()) == 11
    cell = found.exposure(4)
    assert (cell.unique, cell.updates, cell.heard) == (12, 12, 12)  # (3 * 12 + 12) / 4


def test_what_is_read_is_each_sentence_once_without_its_recording() -> None:
    texts = bought("100%").pool.text("fr")
    assert [u.id for u in texts] == [str(n) for n in range(12)]
    for u in texts:
        assert (u.recording, u.clip, u.speaker, u.slices) == ("", None, None, {})


@pytest.mark.parametrize(
    ("target", "german", "target_spoken"),
    [
        ("none", None, 0),
        ("text", [str(n) for n in range(3, 7)], 0),
        ("text+speech", [str(n) for n in range(3, 7)], 4),
        ("all-text", [str(n) for n in range(20)], 0),
        ("all-text+speech", [str(n) for n in range(20)], 4),
    ],
)
def test_target_data_opens_its_texts_and_its_few_clips_one_a_sentence(
    target: str, german: list[str] | None, target_spoken: int
) -> None:
    found = bought("25%", target)
    assert found.pool.written.get("de") is None if german is None else True
    if german is not None:
        assert [u.id for u in found.pool.text("de")] == german
    assert found.target_spoken == len(found.target) == target_spoken
    written = 12 + len(german or [])
    assert found.written == written
    cell = found.exposure(4)
    assert cell.unique == 3 + target_spoken
    assert cell.updates == -(-(3 * written + 12 + target_spoken) // 4)
    assert cell.heard == min(3 * (3 + target_spoken), 12 + target_spoken)
    silent = bought("25%", target, uses_speech=False)
    assert (silent.bought, silent.target, silent.pool.speech()) == ((), (), ())
    assert silent.target_spoken == target_spoken  # it has as many updates as what listens


def test_the_published_few_are_what_is_bought_whatever_the_seed() -> None:
    for seed in (0, 1):
        assert {c.file for c in bought("few115", seed=seed).bought} == {f"fr-few-{n}c" for n in range(5)}
    assert bought("few115").spoken == 12  # of the whole pool


@pytest.mark.parametrize(
    ("speech", "whole"),
    [("11", False), ("12", True), ("13", True), ("5min", False), ("6min", True), ("100%", False)],
)
def test_a_budget_of_as_much_as_there_is_is_all_of_it(speech: str, whole: bool) -> None:
    given = (TASK, cast(Any, SHARDS), Budget.parse(speech), 0, STORE)
    assert buys_all(*given) is whole
