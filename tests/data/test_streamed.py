"""A smoke run streams the few rows that it reads through the datasets library."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from slubench.data import streamed
from slubench.data.clips import ClipStore
from slubench.data.hub import Fetched
from slubench.data.recordings import decode_recordings
from slubench.data.rows import read_rows
from slubench.data.source import Source
from slubench.domain.corpus import ANY
from slubench.errors import MissingError
from slubench.registry import Registry
from slubench.runtime.digest import Digests
from tests.massive_mirror import tone

COMMIT = "0123456789" * 4
TASK = Registry().task("sib-fleurs-de")
TOPICS = ["science/technology", "travel", "politics"]


@pytest.fixture
def the_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that stands for the Hub, with one set of two shards."""
    root = tmp_path / "hub"
    folder = root / f"WueNLP/sib-fleurs@{COMMIT}/data/deu_Latn"
    folder.mkdir(parents=True)
    features = {
        "sentence": {"dtype": "string", "_type": "Value"},
        "index_id": {"dtype": "int64", "_type": "Value"},
        "category": {"names": TOPICS, "_type": "ClassLabel"},
        "audio": {"sampling_rate": 16000, "_type": "Audio"},
        "unused": {"dtype": "string", "_type": "Value"},
    }
    told = json.dumps({"info": {"features": features}}).encode()
    for shard in range(2):
        rows = [
            {
                "sentence": f"Satz {10 * shard + number}.",
                "index_id": 10 * shard + number,
                "category": number % 3,
                "audio": {"bytes": tone(), "path": f"{number}.wav"},
                "unused": "x" * 100,
            }
            for number in range(10)
        ]
        table = pa.Table.from_pylist(rows).replace_schema_metadata({b"huggingface": told})
        pq.write_table(table, folder / f"test-{shard:05}-of-00002.parquet")
    monkeypatch.setattr(streamed, "HUB", f"{root}/")
    monkeypatch.setattr(streamed, "commit_of", lambda place: COMMIT)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "datasets"))

    def nothing(*arguments: object, **named: object) -> None:
        raise MissingError("not in the cache")

    monkeypatch.setattr("slubench.data.source.fetch", nothing)
    return root


def test_the_first_rows_are_streamed_with_the_columns_that_are_read(the_hub: Path, tmp_path: Path) -> None:
    source = Source(Digests(tmp_path / "cache" / "digests.json"), limit=12)
    found = source.find(TASK.corpus, "de", "test")
    (file,) = found.files
    assert pq.read_schema(file).names == ["sentence", "index_id", "category", "audio"]
    rows = read_rows(found)
    assert rows.rejected == ()
    assert [one.text for one in rows.utterances] == [f"Satz {number}." for number in range(12)]
    assert rows.utterances[1].meaning.action == "travel"
    heard = decode_recordings(rows.utterances, "audio", "x", ClipStore(tmp_path / "clips", 16_000, 30.0))
    assert len(heard.keys) == 12
    assert COMMIT in found.revision
    assert found.revision.endswith("+limit-12")
    before = file.stat().st_mtime_ns
    assert source.find(TASK.corpus, "de", "test").files == (file,)
    assert file.stat().st_mtime_ns == before


def test_what_is_not_there_is_told(the_hub: Path, tmp_path: Path) -> None:
    source = Source(Digests(tmp_path / "cache" / "digests.json"), limit=3)
    with pytest.raises(MissingError, match="sib-fleurs"):
        source.find(TASK.corpus, "de", "train")


def test_a_set_that_is_divided_by_a_hash_is_not_streamed() -> None:
    (layout,) = Registry().task("minds14-de").corpus.layouts
    assert not streamed.streams(layout, layout.place("train"))
    (layout,) = TASK.corpus.layouts
    assert streamed.streams(layout, layout.place("train"))


def test_another_declaration_of_the_same_set_reads_a_file_of_its_own(the_hub: Path, tmp_path: Path) -> None:
    source = Source(Digests(tmp_path / "cache" / "digests.json"), limit=12)
    (first,) = source.find(TASK.corpus, "de", "test").files
    (layout,) = TASK.corpus.layouts
    corpus = dataclasses.replace(
        TASK.corpus, layouts=(dataclasses.replace(layout, optional={**layout.optional, "unused": ANY}),)
    )
    (second,) = source.find(corpus, "de", "test").files
    assert "unused" not in pq.read_schema(first).names
    assert "unused" in pq.read_schema(second).names


def test_after_an_interrupted_download_the_rows_are_streamed(
    the_hub: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = the_hub / f"WueNLP/sib-fleurs@{COMMIT}/data/deu_Latn"
    one_of_two = Fetched((folder / "test-00000-of-00002.parquet",), COMMIT)
    monkeypatch.setattr("slubench.data.source.fetch", lambda *arguments, **named: one_of_two)
    found = Source(Digests(tmp_path / "cache" / "digests.json"), limit=12).find(TASK.corpus, "de", "test")
    assert len(read_rows(found).utterances) == 12
