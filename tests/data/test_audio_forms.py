"""Columns of audio in every form that data sets are written in: heard alike, or named with what to do."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import soundfile

from slubench.data.clips import ClipStore
from slubench.data.recordings import Recordings, decode_recordings
from slubench.data.rows import read_rows
from slubench.data.source import Source
from slubench.registry import Registry
from slubench.runtime.digest import Digests
from tests.massive_mirror import SCHEMA, make_mirror, tone

CORPUS = Registry().task("massive-de").corpus
FOLDER = "FBK-MT/Speech-MASSIVE/de-DE"
RATE = 8_000


def heard(root: Path, kind: pa.DataType, values: list[Any]) -> Recordings:
    """What is decoded of a mirror whose audio column is replaced."""
    make_mirror(root, train=len(values), test=1)
    (path,) = (root / FOLDER).glob("train-*.parquet")
    table = pq.read_table(path)
    at = table.column_names.index("audio")
    pq.write_table(table.set_column(at, "audio", pa.array(values, kind)), path, row_group_size=2)
    shards = Source(Digests(root / "digests.json"), root, hub=False).find(CORPUS, "de", "train")
    rows = read_rows(shards)
    assert not rows.rejected
    return decode_recordings(rows.utterances, "audio", "place", ClipStore(root / "clips", RATE, 6.0))


def sine(number: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    samples: np.ndarray[Any, np.dtype[np.float64]] = 0.3 * np.sin(
        2 * np.pi * (200 + number) * np.arange(RATE) / RATE
    )
    return samples


BYTES = [tone(0.5, RATE, 200 + number) for number in range(3)]


@pytest.mark.parametrize("kind", [pa.binary(), pa.large_binary()], ids=str)
@pytest.mark.parametrize("wrapped", [False, True])
def test_bytes_are_read_whatever_arrow_calls_them(tmp_path: Path, kind: pa.DataType, wrapped: bool) -> None:
    values = [{"bytes": one, "path": None} for one in BYTES] if wrapped else BYTES
    found = heard(
        tmp_path, pa.struct([("bytes", kind), ("path", pa.large_string())]) if wrapped else kind, values
    )
    assert not found.rejected
    assert len(set(found.keys.values())) == 3


@pytest.mark.parametrize("form", ["string", "large_string", "struct"])
def test_paths_are_read_where_the_recordings_lie_beside_the_file(tmp_path: Path, form: str) -> None:
    (tmp_path / FOLDER / "wavs").mkdir(parents=True)
    names = [f"wavs/{number}.wav" for number in range(3)]
    for name, content in zip(names[:2], BYTES, strict=False):
        (tmp_path / FOLDER / name).write_bytes(content)
    kinds = {
        "string": pa.string(),
        "large_string": pa.large_string(),
        "struct": pa.struct([("bytes", pa.binary()), ("path", pa.string())]),
    }
    values = [{"bytes": None, "path": name} for name in names] if form == "struct" else names
    found = heard(tmp_path, kinds[form], values)
    assert len(found.keys) == 2
    (missing,) = found.rejected
    assert "the row has no audio, only the path 'wavs/2.wav', and that file was not found next to" in str(
        missing
    )
    assert "Put the recordings there" in str(missing)


@pytest.mark.parametrize("kind", [pa.float32(), pa.float64(), pa.int16()], ids=str)
@pytest.mark.parametrize("of", [pa.list_, pa.large_list], ids=lambda of: str(of.__name__))
def test_decoded_samples_are_heard_as_the_encoded_ones(tmp_path: Path, kind: pa.DataType, of: Any) -> None:
    form = pa.struct([("path", pa.string()), ("array", of(kind)), ("sampling_rate", pa.int64())])
    scale = 32_767 if pa.types.is_integer(kind) else 1.0
    numbers = [(scale * sine(n)).round() if scale > 1 else sine(n) for n in range(2)]
    values = [{"path": "x.wav", "array": one.tolist(), "sampling_rate": RATE} for one in numbers]
    if scale > 1:
        values = [{**one, "array": [int(v) for v in one["array"]]} for one in values]
    found = heard(tmp_path / "a", form, values)
    assert not found.rejected
    for number, key in enumerate(found.keys.values()):
        assert found.store.load(key) == pytest.approx(sine(number), abs=1e-3)
    again = heard(tmp_path / "b", form, values)
    assert sorted(again.keys.values()) == sorted(found.keys.values())  # the same samples, the same clip


@pytest.mark.parametrize(
    ("kind", "value", "said"),
    [
        (pa.list_(pa.float32()), [0.1, 0.2], "a list of samples without a sampling rate"),
        (pa.int64(), 7, "of type int64, which is not a known audio format"),
        (pa.struct([("wave", pa.binary())]), {"wave": b"x"}, "a struct of wave without bytes"),
        (
            pa.struct([("array", pa.list_(pa.float32()))]),
            {"array": [0.1]},
            "sampling rate of the audio array is None",
        ),
        (
            pa.struct([("array", pa.list_(pa.int64())), ("sampling_rate", pa.int64())]),
            {"array": [1], "sampling_rate": 8000},
            "array is of type int64, whose scale is unknown",
        ),
        (
            pa.struct([("array", pa.list_(pa.list_(pa.float32()))), ("sampling_rate", pa.int64())]),
            {"array": [[0.1], [0.2]], "sampling_rate": 8000},
            "array has several channels",
        ),
        (
            pa.struct([("bytes", pa.string()), ("path", pa.string())]),
            {"bytes": "UklG"},
            "bytes of the audio are of type string",
        ),
    ],
)
def test_other_forms_are_named_with_what_to_do(tmp_path: Path, kind: Any, value: Any, said: str) -> None:
    (rejected,) = heard(tmp_path, kind, [value]).rejected
    assert said in rejected.reason
    assert "Write the column as a struct of bytes and path" in rejected.reason or "Mix" in rejected.reason


@pytest.mark.parametrize("kind", [pa.binary(), pa.string(), pa.null(), SCHEMA.field("audio").type], ids=str)
def test_a_row_without_audio_is_one(tmp_path: Path, kind: pa.DataType) -> None:
    (rejected,) = heard(tmp_path, kind, [None]).rejected
    assert rejected.reason == "the row has no audio"


def test_large_strings_and_empty_columns_are_read(tmp_path: Path) -> None:
    make_mirror(tmp_path, train=3, test=1)
    (path,) = (tmp_path / FOLDER).glob("train-*.parquet")
    table = pq.read_table(path)
    fields = [
        field.with_type(pa.large_string()) if pa.types.is_string(field.type) else field
        for field in table.schema
    ]
    table = table.cast(pa.schema(fields))
    at = table.column_names.index("speaker_age")
    pq.write_table(table.set_column(at, "speaker_age", pa.nulls(3)), path)
    shards = Source(Digests(tmp_path / "digests.json"), tmp_path, hub=False).find(CORPUS, "de", "train")
    rows = read_rows(shards)
    assert len(rows.utterances) == 3
    assert not rows.rejected


def test_samples_are_wav_that_others_read() -> None:
    from slubench.data.audio_forms import wav

    for samples in (sine(1).astype(np.float32), (32_767 * sine(1)).astype(np.int16)):
        read, rate = soundfile.read(io.BytesIO(wav(samples, RATE)), dtype=samples.dtype.name)
        assert rate == RATE
        assert (read == samples).all()
