"""Recordings of the test that stand in a training pool too, under whatever id."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from slubench.data.recordings import encoded_clips
from slubench.data.rows import read_rows
from slubench.data.source import SplitFiles
from slubench.domain.utterance import Clip
from slubench.errors import SlubenchError


class LeakedRecording(NamedTuple):
    """A recording that is byte for byte the same in both.

    Attributes:
        test: Its key in the test.
        pool: Its key in the pool.
    """

    test: str
    pool: str


def leaked_recordings(test: SplitFiles, pool: SplitFiles) -> list[LeakedRecording]:
    """The recordings of a pool that are byte for byte recordings of the test, in the order of the pool."""
    tested = _by_clip(test)
    sizes: dict[int, dict[bytes, str]] = defaultdict(dict)
    for clip, encoded in _encoded(test, list(tested)):
        sizes[len(encoded)].setdefault(hashlib.sha256(encoded).digest(), tested[clip])
    pooled = _by_clip(pool)
    # What lies in a file of its own is read only where a test recording has its size.
    clips = [clip for clip in pooled if clip.row is not None or _size(clip) in sizes]
    found = {
        clip: LeakedRecording(known, pooled[clip])
        for clip, encoded in _encoded(pool, clips)
        if (known := sizes.get(len(encoded), {}).get(hashlib.sha256(encoded).digest())) is not None
    }
    return [found[clip] for clip in pooled if clip in found]


def refuse_leaked_recordings(test: SplitFiles, pools: Sequence[SplitFiles]) -> None:
    """Refuse pools that hold a recording of the test.

    Raises:
        SlubenchError: One does; the message names the recordings in both.
    """
    for pool in pools:
        if leaked := leaked_recordings(test, pool):
            named = ", ".join(f"{one.pool} (in the test {one.test})" for one in leaked[:10])
            raise SlubenchError(
                f"{len(leaked)} recordings of the test are byte for byte in the training pool"
                f" {pool}: {named}."
                " What is tested may not be learnt under another id either; mend the mirror."
            )


def _by_clip(shards: SplitFiles) -> dict[Clip, str]:
    return {u.clip: u.key for u in read_rows(shards).utterances if u.clip is not None}


def _encoded(shards: SplitFiles, clips: Sequence[Clip]) -> Iterator[tuple[Clip, bytes]]:
    """The bytes of clips; those that can't be read are left out, which is told where they are decoded."""
    for clip, encoded in encoded_clips(clips, shards.corpus.audio):
        if isinstance(encoded, bytes) and encoded:
            yield clip, encoded


def _size(clip: Clip) -> int:
    try:
        return Path(clip.file).stat().st_size
    except OSError:
        return -1


def leaked_ids(test: SplitFiles, pools: Iterable[SplitFiles]) -> dict[str, list[str]]:
    """The test's ids in each pool, whatever its language, in order; pools without any are left out."""
    asked = {utterance.id for utterance in read_rows(test).utterances}
    found = {
        str(pool): sorted(asked & {utterance.id for utterance in read_rows(pool).utterances})
        for pool in pools
    }
    return {name: ids for name, ids in found.items() if ids}
