"""SLURP reads the same from the authors' files and from a Hub mirror, with labels of scenario and action."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from slubench.data.clips import ClipStore
from slubench.data.editions import MINI, offers
from slubench.data.recordings import decode_recordings
from slubench.data.rows import read_rows
from slubench.data.source import Source
from slubench.data.splits import find_pools, find_test
from slubench.domain.budget import Budget
from slubench.errors import MissingError
from slubench.registry import Registry
from slubench.runtime.digest import Digests
from slubench.trainset.purchase import purchase
from tests.slurp_mirror import make_authors, names, sentence, write_hub_mirror, write_lines

REGISTRY = Registry()
TASK = REGISTRY.task("slurp")


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    return make_authors(tmp_path / "mirror")


def source(mirror: Path) -> Source:
    return Source(Digests(mirror / "digests.json"), mirror, hub=False)


def store(tmp_path: Path) -> ClipStore:
    return ClipStore(tmp_path / "clips", 16_000, 6.0)


def test_every_recording_is_a_row(mirror: Path, tmp_path: Path) -> None:
    shards = find_test(TASK, source(mirror))
    rows = read_rows(shards)
    assert not rows.rejected
    assert len(rows.utterances) == 4 * 3
    close, far, unknown = rows.utterances[:3]
    assert close.key == "1000/audio-1000-0-headset.flac"
    assert close.meaning.intent == "weather_query"
    assert close.meaning.entities == (("place_name", "rome"),)
    assert close.text == "what is the weather in Rome"
    assert dict(close.slices) == {
        "microphone": "close",
        "speaker_sex": "Female",
        "speaker_first_language": "English",
    }
    assert dict(far.slices) == {
        "microphone": "far",
        "speaker_sex": "Male",
        "speaker_first_language": "other",
    }
    assert (unknown.speaker, dict(unknown.slices)) == ("UNK-7", {"microphone": "far"})
    recordings = decode_recordings(rows.utterances, "audio", str(shards), store(tmp_path))
    assert len(recordings.keys) == 12
    assert not recordings.rejected


def test_a_test_of_sentences_asks_one_recording_of_each(mirror: Path) -> None:
    shards = find_test(REGISTRY.task("slurp-sentences"), source(mirror))
    rows = read_rows(shards)
    assert str(shards) == "slurp/en/test/sentences"
    assert [u.id for u in rows.utterances] == ["1000", "1001", "1002", "1003"]
    assert rows == read_rows(shards)


@pytest.mark.parametrize(
    ("speech", "clips", "sentences"),
    [("100%", 12, 12), ("25%", 3, 3), ("25%+all-recordings", 9, 3), ("100%+all-recordings", 36, 12)],
)
def test_sentences_are_drawn_then_one_recording_or_all(
    mirror: Path, tmp_path: Path, speech: str, clips: int, sentences: int
) -> None:
    found = source(mirror)
    bought = purchase(TASK, find_pools(TASK, found), Budget.parse(speech), 0, store(tmp_path))
    heard = bought.pool.speech()
    assert (len(heard), len({u.id for u in heard})) == (clips, sentences)
    assert bought.written == 12
    assert bought.spoken == (36 if "all" in speech else 12)
    assert {u.recording for u in bought.pool.text()} == {""}
    assert len(bought.pool.pairs("en")) == clips
    assert not bought.synthetic


def test_synthetic_speech_is_a_task_of_its_own(mirror: Path, tmp_path: Path) -> None:
    task, found = REGISTRY.task("slurp-synthetic"), source(mirror)
    assert task.data_track == "open"
    bought = purchase(task, find_pools(task, found), Budget.parse("100%"), 0, store(tmp_path))
    assert (bought.written, bought.spoken, len(bought.bought)) == (12, 3, 3)
    assert bought.synthetic == set(bought.bought)
    plain = find_pools(TASK, found, Budget.parse("100%"))
    assert [shards.split for shards in plain] == ["train"]


def test_a_hub_mirror_gives_audio_and_no_label(tmp_path: Path) -> None:
    root = make_authors(tmp_path, audio=False)
    write_hub_mirror(root, [(1000, names(1000, 2)[0]), (1000, names(1000, 2)[1]), (77, "audio-77.flac")])
    shards = find_test(TASK, source(root))
    assert shards.form.assumed
    rows = read_rows(shards)
    first, second = rows.utterances
    assert (first.meaning.intent, first.text) == ("weather_query", "what is the weather in Rome")
    assert first.slices["microphone"] == "close"
    assert first.speaker == "FE-146"
    assert second.slices["microphone"] == "far"
    (rejected,) = rows.rejected
    assert "no sentence in SLURP's JSON lines has slurp_id 77" in rejected.reason


def test_a_hub_mirror_without_the_labels_says_how_to_get_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_hub_mirror(tmp_path, [(1000, "audio-1.flac")])
    with pytest.raises(MissingError, match=r"slurp/dataset/slurp/test\.jsonl.*slubench data prepare slurp"):
        find_test(TASK, source(tmp_path))


def test_what_is_wrong_with_a_sentence_is_named(tmp_path: Path) -> None:
    root = make_authors(tmp_path)
    broken = [sentence(number, [f"audio-{number}.flac"]) for number in range(2000, 2005)]
    broken[0]["action"] = "fly"
    broken[1]["entities"] = [{"type": "time", "span": [9]}]
    broken[2]["entities"] = [{"type": "colour", "span": [0]}]
    broken[3]["tokens"] = [{"surface": "other"}]
    del broken[4]["tokens"]
    path = write_lines(root, "test", broken)
    path.write_text(path.read_text("utf-8") + "{broken\n", "utf-8")
    rows = read_rows(find_test(TASK, source(root)))
    reasons = [row.reason for row in rows.rejected]
    for told in (
        "unknown intent",
        "beyond the 4 tokens",
        "unknown slot type colour",
        "lacks the column tokens",
    ):
        assert sum(told in reason for reason in reasons) == 1, told
    assert sum("not JSON" in reason for reason in reasons) == 1
    # An odd sentence is used, and remarked: the real ones have some.
    assert [u.remarks for u in rows.utterances] == [("the sentence does not match its tokens",)]


def test_a_recording_that_is_not_there_is_named(mirror: Path, tmp_path: Path) -> None:
    rows = read_rows(find_test(TASK, source(mirror)))
    (mirror / "slurp/audio/slurp_real" / names(1000, 1)[0]).unlink()
    (mirror / "slurp/audio/slurp_real" / names(1000, 2)[1]).write_bytes(b"")
    recordings = decode_recordings(rows.utterances, "audio", "slurp/en/test", store(tmp_path))
    told = {row.utterance: row.reason for row in recordings.rejected}
    assert "is missing" in told["1000/audio-1000-0-headset.flac"]
    assert "zero bytes" in told["1000/audio-1000-1.flac"]
    assert len(recordings.keys) == 10


def test_the_miniature_has_it() -> None:
    mini = MINI.source(None, Digests(Path("unused")))
    assert offers(mini, TASK)
    assert offers(mini, REGISTRY.task("slurp-sentences"))
    assert not offers(mini, REGISTRY.task("slurp-synthetic"))


def test_the_miniatures_english_is_learnt_and_asked(tmp_path: Path) -> None:
    mini = MINI.source(None, Digests(tmp_path / "digests.json"))
    bought = purchase(TASK, find_pools(TASK, mini), Budget.parse("3"), 0, store(tmp_path))
    assert (bought.written, bought.spoken, len(bought.pool.speech("en"))) == (1000, 1000, 3)
    assert bought.rejected == ()
    test = read_rows(find_test(TASK, mini))
    assert (len(test.utterances), test.rejected) == (500, ())
    assert {u.slices["condition"] for u in test.utterances}


def test_the_real_development_split_reads_whole(real_text: Path, tmp_path: Path) -> None:
    path = tmp_path / "slurp/dataset/slurp/test.jsonl"
    path.parent.mkdir(parents=True)
    (tmp_path / "slurp/audio/slurp_real").mkdir(parents=True)
    with gzip.open(real_text / "slurp/devel.jsonl.gz", "rt", encoding="utf-8") as file:
        lines = file.read()
    path.write_text(lines, "utf-8")
    rows = read_rows(find_test(TASK, source(tmp_path)))
    assert not rows.rejected
    assert len(rows.utterances) == 8_690
    assert len({u.id for u in rows.utterances}) == 2_033
    real = [json.loads(line) for line in lines.splitlines()]
    assert {u.id: u.meaning.intent for u in rows.utterances} == {
        str(row["slurp_id"]): f"{row['scenario']}_{row['action']}" for row in real
    }
    odd = {u.id for u in rows.utterances if u.remarks}
    assert len(odd) == 3
