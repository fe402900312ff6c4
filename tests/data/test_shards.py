"""A shard that is missing is refused, whatever its name."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from slubench.data.mirror import check_complete
from slubench.data.source import Source
from slubench.data.table_files import numbered_rows
from slubench.errors import DataError
from slubench.registry import Registry
from slubench.runtime.digest import Digests
from tests.massive_mirror import make_mirror, row, tone, write_split

CORPUS = Registry().task("massive-de").corpus
HASHES = ("0123456789abcdef", "fedcba9876543210", "00112233445566aa")


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["train-00000-of-00002.parquet"], "shard 1 of 00002.parquet is missing"),
        ([f"train-00000-of-00002-{HASHES[0]}.parquet"], f"shard 1 of 00002-{HASHES[0]}.parquet is missing"),
        ([f"train-0000{n}-of-00003-{HASHES[n]}.parquet" for n in (0, 2)], "shard 1 of 00003"),
        (["all-00001-of-00012.parquet"], "shard 0 of 00012.parquet is missing"),
        (["train-00000-of-00002.jsonl.gz"], "shard 1 of 00002.jsonl.gz is missing"),
        (["0000.parquet", "0002.parquet"], "shard 1 is missing"),
        (["0001.parquet"], "shard 0 is missing"),
        (["train-00000-of-00002.parquet", "train-00001-of-00003.parquet"], "are from different downloads"),
        (
            [f"train-00000-of-00001-{HASHES[0]}.parquet", f"train-00000-of-00001-{HASHES[1]}.parquet"],
            "shard 0 exists twice",
        ),
    ],
)
def test_files_that_are_not_whole_are_refused(names: list[str], said: str) -> None:
    with pytest.raises(DataError, match=said):
        check_complete(tuple(Path("folder") / name for name in names))


@pytest.mark.parametrize(
    "names",
    [
        [f"train-0000{n}-of-00003-{HASHES[n]}.parquet" for n in range(3)],
        ["train-00001-of-00002.parquet", "train-00002-of-00002.parquet"],
        ["0000.parquet", "0001.parquet"],
        ["train.parquet"],
        ["de-DE.jsonl"],
    ],
)
def test_whole_sets_are_taken(names: list[str]) -> None:
    check_complete(tuple(Path("folder") / name for name in names))


def test_a_mirror_with_digests_in_its_names_lacks_a_shard(tmp_path: Path) -> None:
    make_mirror(tmp_path, train=6, test=3)
    folder = tmp_path / "FBK-MT/Speech-MASSIVE/de-DE"
    for path in folder.glob("train-*"):
        path.unlink()
    rows = [row(number, "alarm_set", f"satz {number}", "de-DE", "train", tone(), "1") for number in range(6)]
    for path, digest in zip(write_split(tmp_path, "train", rows, shards=3), HASHES, strict=True):
        path.rename(path.with_stem(f"{path.stem}-{digest}"))
    source = Source(Digests(tmp_path / "digests.json"), tmp_path, hub=False)
    assert len(source.find(CORPUS, "de", "train").files) == 3
    next(iter(sorted(folder.glob("train-*")))).unlink()
    with pytest.raises(DataError, match=r"shard 0 of .* is missing"):
        source.find(CORPUS, "de", "train")


def test_a_shard_given_alone_stands_for_all_and_none_may_be_missing(tmp_path: Path) -> None:
    for number in range(2):
        (tmp_path / f"gold-0000{number}-of-00002.jsonl").write_text(json.dumps({"id": number}) + "\n")
    first = tmp_path / "gold-00000-of-00002.jsonl"
    assert [content["id"] for _, content in numbered_rows(first)] == [0, 1]
    assert [place for place, _ in numbered_rows(first)][1] == "gold-00001-of-00002.jsonl, line 1"
    (tmp_path / "gold-00001-of-00002.jsonl").unlink()
    with pytest.raises(DataError, match=r"shard 1 of 00002\.jsonl is missing"):
        list(numbered_rows(first))
    own = tmp_path / "seed-1-of-5.jsonl"
    own.write_text(json.dumps({"id": 7}) + "\n")
    assert [content["id"] for _, content in numbered_rows(own)] == [7]
