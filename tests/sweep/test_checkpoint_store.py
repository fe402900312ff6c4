"""Checkpoints that several machines share."""

from __future__ import annotations

from pathlib import Path

import pytest

from slubench.errors import SlubenchError
from slubench.sweep.checkpoint_store import CheckpointStore


@pytest.fixture(params=["file", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> CheckpointStore:
    uri = str(tmp_path / "store") if request.param == "file" else f"memory://{tmp_path}"
    return CheckpointStore(uri, lambda line: None)


def checkpoint(folder: Path, number: int) -> Path:
    path = folder / f"{number:08d}"
    path.mkdir(parents=True)
    (path / "weights").write_bytes(b"w" * number)
    (path / "progress.json").write_text("{}")
    return path


def test_another_machine_fetches_the_newest(store: CheckpointStore, tmp_path: Path) -> None:
    here, there = tmp_path / "here" / "checkpoints", tmp_path / "there" / "checkpoints"
    checkpoint(here, 1)
    assert store.push("run", here) == "00000001"
    assert store.push("run", here) == ""
    checkpoint(here, 2)
    assert store.push("run", here) == "00000002"
    assert store.fetch("run", there) == "00000002"
    assert (there / "00000002" / "weights").read_bytes() == b"ww"
    assert [path.name for path in there.iterdir()] == ["00000002"]
    assert store.fetch("run", there) == ""


def test_a_newer_one_that_is_here_stays(store: CheckpointStore, tmp_path: Path) -> None:
    here = tmp_path / "here" / "checkpoints"
    checkpoint(here, 1)
    store.push("run", here)
    checkpoint(here, 7)
    assert store.fetch("run", here) == ""


def test_two_are_kept_and_none_of_a_training_that_is_done(store: CheckpointStore, tmp_path: Path) -> None:
    here = tmp_path / "here" / "checkpoints"
    for number in range(1, 5):
        checkpoint(here, number)
        store.push("run", here)
    assert sorted(store._stored("run")) == ["00000003.tar", "00000004.tar"]
    store.remove("run")
    assert store._stored("run") == []
    store.remove("run")


def test_a_torn_checkpoint_gives_way_to_the_one_before(tmp_path: Path) -> None:
    store = CheckpointStore((tmp_path / "store").as_uri(), lambda line: None)
    here, there = tmp_path / "here" / "checkpoints", tmp_path / "there" / "checkpoints"
    for number in (1, 2):
        checkpoint(here, number)
        store.push("run", here)
    newest = tmp_path / "store" / "run" / "00000002.tar"
    newest.write_bytes(newest.read_bytes()[:700])
    assert store.fetch("run", there) == "00000001"
    assert [path.name for path in there.iterdir()] == ["00000001"]


def test_nothing_is_fetched_where_nothing_is(store: CheckpointStore, tmp_path: Path) -> None:
    assert store.fetch("run", tmp_path / "checkpoints") == ""


@pytest.mark.parametrize("uri", ["nowhere://x", "s4://bucket"])
def test_a_scheme_that_is_not_known_is_refused(uri: str) -> None:
    with pytest.raises(SlubenchError, match=f"--checkpoints {uri}"):
        CheckpointStore(uri, lambda line: None)


def test_weights_of_earlier_stages_and_the_best_so_far_travel_too(
    store: CheckpointStore, tmp_path: Path
) -> None:
    here, there = tmp_path / "here" / "checkpoints", tmp_path / "there" / "checkpoints"
    checkpoint(here, 3)
    (here / "stage-01").write_bytes(b"of the first stage")
    (here / "best-00000002").write_bytes(b"of the least loss")
    store.push("run", here)
    assert store.fetch("run", there) == "00000003"
    assert (there / "stage-01").read_bytes() == b"of the first stage"
    assert (there / "best-00000002").read_bytes() == b"of the least loss"
    assert sorted(path.name for path in (there / "00000003").iterdir()) == ["progress.json", "weights"]
