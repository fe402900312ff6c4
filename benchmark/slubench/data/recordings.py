"""Decodes recordings of utterances into the clip store, one row group at a time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from slubench.data.audio_forms import encoded_of
from slubench.data.clips import ClipStore
from slubench.data.row_files import open_parquet
from slubench.data.rows import Rejected
from slubench.domain.utterance import Clip, ClipPart, Utterance, whole_clip
from slubench.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

Progress: TypeAlias = Callable[[str, int], AbstractContextManager[Callable[[int], None]]]
"""Opens a progress bar with a name and a length; yields a function that reports progress."""


@contextmanager
def no_progress(name: str, length: int) -> Iterator[Callable[[int], None]]:
    """No progress bar."""
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
        return self.store.seconds(self.key(clip))

    def key(self, clip: Clip) -> str:
        """The key of a clip, or of a part of one, which is cut out where that was not done before."""
        if isinstance(clip, ClipPart):
            return self.store.cut(self.keys[whole_clip(clip)], clip.begin, clip.end)
        return self.keys[clip]


def decode_recordings(
    utterances: Iterable[Utterance],
    audio: str,
    place: str,
    store: ClipStore,
    watch: Progress = no_progress,
) -> Recordings:
    """Decode recordings that are not in the store yet.

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
                if isinstance(encoded, DataError):
                    raise encoded
                keys[clip] = store.add(encoded)
            except DataError as error:
                rejected.append(rejected_clip(place, by_clip[clip].key, clip, error))
            done(len(keys) + len(rejected))
    return Recordings(store, keys, tuple(rejected))


def rejected_clip(place: str, key: str, clip: Clip, error: DataError) -> Rejected:
    """An unusable clip, with its place."""
    return Rejected(place, key, -1 if clip.row is None else clip.row, Path(clip.file).name, str(error))


def encoded_clips(clips: Sequence[Clip], audio: str) -> Iterator[tuple[Clip, bytes | DataError]]:
    """The encoded bytes of clips, or an error; each row group is read once, in batches.

    Args:
        clips: In any order; those in files of their own come first.
        audio: Name of the column of audio in Parquet files.
    """
    by_file: dict[str, set[int]] = defaultdict(set)
    for clip in clips:
        if clip.row is None:
            yield clip, _file_bytes(Path(clip.file))
        else:
            by_file[clip.file].add(clip.row)
    for name, rows in by_file.items():
        try:
            file = open_parquet(Path(name))
        except DataError as error:
            yield from ((Clip(name, row), error) for row in sorted(rows))
            continue
        start = 0
        for group in range(file.num_row_groups):
            count = file.metadata.row_group(group).num_rows
            inside = sorted(row for row in rows if start <= row < start + count)
            if inside:
                yield from _of_group(file, name, group, audio, start, inside)
            start += count


def _of_group(
    file: pq.ParquetFile, name: str, group: int, audio: str, start: int, rows: Sequence[int]
) -> Iterator[tuple[Clip, bytes | DataError]]:
    import pyarrow as pa

    wanted, at = set(rows), start
    try:
        # A row group of the Hub's can be hundreds of megabytes; a batch of it is a few.
        for batch in file.iter_batches(batch_size=32, row_groups=[group], columns=[audio]):
            column = batch.column(0)
            for row in sorted(wanted & set(range(at, at + len(column)))):
                yield Clip(name, row), _encoded(column[row - at], Path(name).parent)
                wanted.discard(row)
            at += len(column)
    except (pa.ArrowException, OSError) as error:
        broken = DataError(f"row group {group} cannot be read ({error}). Download the file again.")
        yield from ((Clip(name, row), broken) for row in sorted(wanted))


def _encoded(scalar: pa.Scalar, folder: Path) -> bytes | DataError:
    try:
        return encoded_of(scalar, folder)
    except DataError as error:
        return error


def _file_bytes(path: Path) -> bytes | DataError:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return DataError(
            f"the recording {path} is missing; download the corpus's audio (see `slubench data list`)"
        )
    except OSError as error:
        return DataError(f"the recording {path} cannot be read ({error.strerror})")
