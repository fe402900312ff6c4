"""Decodes the recordings of utterances into the clip store, one row group at a time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from slubench.clips import ClipStore
from slubench.corpora.rows import Rejected, open_parquet
from slubench.errors import DataError
from slubench.utterance import Clip, Utterance

Watch: TypeAlias = Callable[[str, int], AbstractContextManager[Callable[[int], None]]]
"""Opens a progress bar of a name and a length; what it gives is told how much is done."""


@contextmanager
def unwatched(name: str, length: int) -> Iterator[Callable[[int], None]]:
    """No bar at all."""
    yield lambda done: None


@dataclass(frozen=True)
class Recordings:
    """Decoded recordings.

    Attributes:
        store: Where they lie.
        keys: Key in the store of each clip that decodes.
        rejected: The clips that do not.
    """

    store: ClipStore
    keys: Mapping[Clip, str] = field(default_factory=dict)
    rejected: tuple[Rejected, ...] = ()

    def seconds(self, clip: Clip) -> float:
        """A clip's length in seconds."""
        return self.store.seconds(self.keys[clip])


def decode_recordings(
    utterances: Iterable[Utterance],
    audio: str,
    place: str,
    store: ClipStore,
    watch: Watch = unwatched,
) -> Recordings:
    """Decode what is not decoded yet.

    Args:
        utterances: Whose recordings are wanted.
        audio: Name of the column of audio.
        place: Corpus, language and split, for messages.
        store: Where decoded clips are kept.
        watch: Opens a bar of so many clips, which is told how many are done.
    """
    wanted = [utterance for utterance in utterances if utterance.clip is not None]
    by_clip = {utterance.clip: utterance for utterance in wanted if utterance.clip}
    keys: dict[Clip, str] = {}
    rejected = [
        Rejected(f"{place}", utterance.key, -1, "", "the row has no audio")
        for utterance in utterances
        if utterance.clip is None
    ]
    with watch(f"decoding {place}", len(by_clip)) as done:
        for clip, encoded in encoded_clips(list(by_clip), audio):
            try:
                if encoded is None:
                    raise DataError("the row has no audio")
                keys[clip] = store.add(encoded)
            except DataError as error:
                name = Path(clip.file).name
                rejected.append(Rejected(place, by_clip[clip].key, clip.row, name, str(error)))
            done(len(keys) + len(rejected))
    return Recordings(store, keys, tuple(rejected))


def encoded_clips(clips: Sequence[Clip], audio: str) -> Iterator[tuple[Clip, bytes | None]]:
    """The encoded bytes of clips, file by file; each row group is read once and let go."""
    by_file: dict[str, set[int]] = defaultdict(set)
    for clip in clips:
        by_file[clip.file].add(clip.row)
    for name, rows in by_file.items():
        file = open_parquet(Path(name))
        start = 0
        for group in range(file.num_row_groups):
            count = file.metadata.row_group(group).num_rows
            inside = sorted(row for row in rows if start <= row < start + count)
            if inside:
                column = file.read_row_group(group, columns=[audio]).column(audio)
                for row in inside:
                    value = column[row - start].as_py()
                    yield Clip(name, row), (value or {}).get("bytes")
            start += count
