"""Rows and recordings are read as they are, and what is not as it should be is named."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import soundfile

from slubench.data.clips import ClipStore, decode
from slubench.data.recordings import decode_recordings
from slubench.data.rows import read_rows
from slubench.data.source import Source
from slubench.data.splits import find_pools
from slubench.domain.budget import Budget
from slubench.errors import DataError, MissingError
from slubench.registry import Registry
from slubench.runtime.digest import Digests
from slubench.trainset.purchase import purchase
from tests.massive_mirror import SCHEMA, make_mirror, row, tone, wav, write_split

TASK = Registry().task("massive-de")


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    return make_mirror(tmp_path / "mirror")


def source(mirror: Path, hub: bool = False) -> Source:
    return Source(Digests(mirror / "digests.json"), mirror, hub=hub)


def store(tmp_path: Path) -> ClipStore:
    return ClipStore(tmp_path / "clips", 16_000, 6.0)


def test_every_row_is_read(mirror: Path, tmp_path: Path) -> None:
    shards = source(mirror).find(TASK.corpus, "de", "train")
    rows = read_rows(shards)
    assert len(rows.utterances) == 20
    assert not rows.rejected
    first = rows.utterances[0]
    assert (first.id, first.text, first.meaning.intent) == ("0", "wecke mich um fünf uhr", "alarm_set")
    assert first.meaning.entities == (("time", "fünf uhr"),)
    assert first.speaker == "0"
    assert first.slices["speaker_sex"] == "Male"
    recordings = decode_recordings(rows.utterances, "audio", str(shards), store(tmp_path))
    assert len(recordings.keys) == 20
    assert not recordings.rejected
    assert first.clip is not None
    assert recordings.seconds(first.clip) == pytest.approx(0.5, abs=0.01)
    samples = recordings.store.load(recordings.keys[first.clip])
    assert samples.dtype == np.float32
    spectrum = np.abs(np.fft.rfft(samples))
    assert np.argmax(spectrum) / (len(samples) / 16_000) == pytest.approx(200, abs=3)


def test_shards_are_read_in_order(tmp_path: Path) -> None:
    rows = [row(n, "alarm_set", f"satz {n}", "de-DE", "train", tone(), "1") for n in range(9)]
    write_split(tmp_path, "train", rows, shards=3)
    read = read_rows(source(tmp_path).find(TASK.corpus, "de", "train"))
    assert [u.id for u in read.utterances] == ["0", "3", "6", "1", "4", "7", "2", "5", "8"]


def test_a_missing_shard_is_named(tmp_path: Path) -> None:
    rows = [row(n, "alarm_set", f"satz {n}", "de-DE", "train", tone(), "1") for n in range(9)]
    write_split(tmp_path, "train", rows, shards=3)[1].unlink()
    with pytest.raises(DataError, match=r"shard 1 of 00003.parquet is missing"):
        source(tmp_path).find(TASK.corpus, "de", "train")


def test_a_truncated_file_is_named(mirror: Path) -> None:
    path = mirror / "FBK-MT/Speech-MASSIVE/de-DE/train-00000-of-00001.parquet"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(DataError, match=r"train-00000-of-00001.parquet is not a complete Parquet file"):
        read_rows(source(mirror).find(TASK.corpus, "de", "train"))


def test_a_missing_column_is_named(mirror: Path) -> None:
    path = mirror / "FBK-MT/Speech-MASSIVE/de-DE/train-00000-of-00001.parquet"
    pq.write_table(pq.read_table(path).drop_columns(["annot_utt"]), path)
    with pytest.raises(DataError, match="lacks the column annot_utt"):
        read_rows(source(mirror).find(TASK.corpus, "de", "train"))


def test_what_is_nowhere_is_told_with_the_remedy(mirror: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(mirror / "no-cache"))
    with pytest.raises(MissingError, match="hf download --repo-type dataset FBK-MT/Speech-MASSIVE"):
        source(mirror, hub=True).find(TASK.corpus, "fr", "train")


def test_the_hubs_cache_is_read_offline(
    mirror: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cache in the Hub's own layout: refs, snapshots by commit."""
    from huggingface_hub import constants

    commit = "0123456789abcdef0123456789abcdef01234567"
    cache = tmp_path / "hub"
    repository = cache / "datasets--FBK-MT--Speech-MASSIVE"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text(commit)
    (repository / "snapshots").mkdir()
    (mirror / "FBK-MT/Speech-MASSIVE").rename(repository / "snapshots" / commit)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub._snapshot_download.constants.HF_HUB_CACHE", str(cache))
    found = Source(Digests(tmp_path / "digests.json"), None).find(TASK.corpus, "de", "train")
    assert found.revision == f"FBK-MT/Speech-MASSIVE@{commit}"
    assert len(read_rows(found).utterances) == 20


BROKEN_ROWS = [
    ("alarm_fly", "flieg weg", "unknown intent 'alarm_fly'"),
    ("alarm_set", "wecke [time fünf", "unmatched bracket"),
    ("alarm_set", "wecke [time : fünf", "unmatched bracket"),
    ("", "stille", "unknown intent"),
]


@pytest.mark.parametrize(("intent", "annotated", "reason"), BROKEN_ROWS)
def test_a_broken_row_is_left_out_and_named(tmp_path: Path, intent: str, annotated: str, reason: str) -> None:
    rows = [row(n, "alarm_set", f"satz {n}", "de-DE", "train", tone(), "1") for n in range(3)]
    rows.insert(1, row(77, intent, annotated, "de-DE", "train", tone(), "1"))
    write_split(tmp_path, "train", rows)
    read = read_rows(source(tmp_path).find(TASK.corpus, "de", "train"))
    assert [u.id for u in read.utterances] == ["0", "1", "2"]
    (rejected,) = read.rejected
    assert str(rejected).startswith("speech-massive/de/train, id 77 (train-00000-of-00001.parquet, row 1): ")
    assert reason in rejected.reason


def test_an_annotation_that_disagrees_with_the_text_is_named(tmp_path: Path) -> None:
    wrong = row(5, "alarm_set", "wecke mich", "de-DE", "train", tone(), "1") | {"utt": "etwas anderes"}
    write_split(tmp_path, "train", [wrong])
    (rejected,) = read_rows(source(tmp_path).find(TASK.corpus, "de", "train")).rejected
    assert "annot_utt without its brackets differs from utt" in rejected.reason


def flac(rate: int) -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, np.zeros((rate, 2)), rate, format="FLAC")
    return buffer.getvalue()


BROKEN_CLIPS = [
    (None, "no audio"),
    (b"", "zero bytes"),
    (b"RIFF and nothing more", "cannot be decoded"),
    (tone()[:44], "has no samples"),
    (wav(np.array([0.1, np.nan, 0.2]), 16_000, "FLOAT"), "NaN or infinite"),
]


# Named: a WAV of floats holds the second it was written in.
@pytest.mark.parametrize(("audio", "reason"), BROKEN_CLIPS, ids=[reason for _, reason in BROKEN_CLIPS])
def test_a_broken_clip_stays_paid_for_and_is_not_heard(tmp_path: Path, audio: bytes, reason: str) -> None:
    make_mirror(tmp_path / "mirror", audio=lambda number: audio if number == 7 else tone(pitch=200 + number))
    found = source(tmp_path / "mirror")
    bought = purchase(TASK, find_pools(TASK, found), Budget.parse("100%"), 0, store(tmp_path))
    assert len(bought.bought) == bought.spoken == bought.written == 20
    assert len(bought.pool.speech("de")) == 19
    assert "7" not in {u.id for u in bought.pool.speech("de")}
    (rejected,) = bought.rejected
    assert (rejected.place, rejected.utterance) == ("speech-massive/de/train", "7")
    assert reason in rejected.reason


@pytest.mark.parametrize("rate", [8_000, 16_000, 48_000])
def test_stereo_and_other_rates_become_mono_at_the_models_rate(rate: int) -> None:
    samples = decode(flac(rate), 16_000)
    assert samples.shape == (16_000,)


def test_what_is_longer_than_the_window_is_cut(tmp_path: Path) -> None:
    clips = store(tmp_path)
    assert clips.seconds(clips.add(tone(8.0, 8_000))) == 6.0


def test_an_id_that_occurs_twice_is_named(tmp_path: Path) -> None:
    rows = [row(3, "alarm_set", "satz", "de-DE", "train", tone(), "1")] * 2
    write_split(tmp_path, "train", rows)
    (rejected,) = read_rows(source(tmp_path).find(TASK.corpus, "de", "train")).rejected
    assert "duplicate id" in rejected.reason


def test_a_mirror_needs_no_column_of_speakers(tmp_path: Path) -> None:
    make_mirror(tmp_path)
    path = tmp_path / "FBK-MT/Speech-MASSIVE/de-DE/train-00000-of-00001.parquet"
    names = [name for name in SCHEMA.names if not name.startswith("speaker_")]
    pq.write_table(pq.read_table(path, columns=names), path)
    assert read_rows(source(tmp_path).find(TASK.corpus, "de", "train")).utterances[0].speaker is None


def test_a_file_of_another_kind_is_no_parquet(mirror: Path) -> None:
    path = mirror / "FBK-MT/Speech-MASSIVE/de-DE/train-00000-of-00001.parquet"
    path.write_text("id,utt\n1,hallo\n")
    with pytest.raises(DataError, match="is not a complete Parquet file"):
        read_rows(source(mirror).find(TASK.corpus, "de", "train"))
