"""A recording of the test in a training pool is refused, under whatever id it stands there."""

from __future__ import annotations

from pathlib import Path

import pytest

from slubench.data.editions import FULL
from slubench.data.leaks import LeakedRecording, leaked_recordings, refuse_leaked_recordings
from slubench.data.splits import find_pools, find_test
from slubench.errors import SlubenchError
from slubench.registry import Registry
from slubench.runtime.digest import Digests
from tests.massive_mirror import make_mirror, tone

TASK = Registry().task("massive-de")


def mirror(folder: Path, shared: dict[int, int]) -> Path:
    """A mirror whose test recordings of some ids are those of training ids."""
    return make_mirror(folder / "mirror", audio=lambda number: tone(pitch=200.0 + shared.get(number, number)))


def shards(folder: Path, shared: dict[int, int]):  # type: ignore[no-untyped-def]
    source = FULL.source(mirror(folder, shared), Digests(folder / "digests.json"))
    return find_test(TASK, source), find_pools(TASK, source)


def test_a_test_recording_under_another_id_is_named_and_refused(tmp_path: Path) -> None:
    test, pools = shards(tmp_path, {10_003: 5, 10_001: 2})
    assert leaked_recordings(test, pools[0]) == [LeakedRecording("10001", "2"), LeakedRecording("10003", "5")]
    with pytest.raises(SlubenchError) as refused:
        refuse_leaked_recordings(test, pools)
    assert "2 test recordings are also in the training pool" in str(refused.value)
    assert "2 (in the test 10001), 5 (in the test 10003)" in str(refused.value)


def test_recordings_of_one_length_are_told_apart(tmp_path: Path) -> None:
    test, pools = shards(tmp_path, {})
    refuse_leaked_recordings(test, pools)
    assert leaked_recordings(test, pools[0]) == []
