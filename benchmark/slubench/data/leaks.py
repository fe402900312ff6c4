"""Finds test recordings that are also in a training pool, under any id."""

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
    """A recording that is byte for byte the same in test and pool.

    Attributes:
        test: Its key in the test.
        pool: Its key in the pool.
    """

    test: str
    pool: str


def leaked_recordings(test: SplitFiles, pool: SplitFiles) -> list[LeakedRecording]:
    """The recordings of a pool that equal a test recording byte for byte, in order of the pool."""
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
    """Refuse pools that contain a test recording.

    Raises:
        SlubenchError: One does; the message names the recordings in both.
    """
    for pool in pools:
        if leaked := leaked_recordings(test, pool):
            named = ", ".join(f"{one.pool} (in the test {one.test})" for one in leaked[:10])
            raise SlubenchError(
                f"{len(leaked)} test recordings are also in the training pool {pool}, byte for byte: {named}."
                " Test recordings must not be trained on under another id; correct the mirror."
            )


def _by_clip(shards: SplitFiles) -> dict[Clip, str]:
    return {u.clip: u.key for u in read_rows(shards).utterances if u.clip is not None}


def _encoded(shards: SplitFiles, clips: Sequence[Clip]) -> Iterator[tuple[Clip, bytes]]:
    """The bytes of clips; unreadable ones are left out here and reported by decoding."""
    for clip, encoded in encoded_clips(clips, shards.corpus.audio):
        if isinstance(encoded, bytes) and encoded:
            yield clip, encoded


def _size(clip: Clip) -> int:
    try:
        return Path(clip.file).stat().st_size
    except OSError:
        return -1


def leaked_ids(test: SplitFiles, pools: Iterable[SplitFiles]) -> dict[str, list[str]]:
    """The test ids in each pool of any language, in order; pools without any are left out."""
    asked = {utterance.id for utterance in read_rows(test).utterances}
    found = {
        str(pool): sorted(asked & {utterance.id for utterance in read_rows(pool).utterances})
        for pool in pools
    }
    return {name: ids for name, ids in found.items() if ids}
