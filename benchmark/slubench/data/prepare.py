"""Prepares a corpus: downloads it, and decodes and resamples its clips into the clip store."""

from __future__ import annotations

import dataclasses
import multiprocessing
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass
from itertools import islice

from slubench.data.check.task_splits import TaskSplit
from slubench.data.clips import ClipStore
from slubench.data.download import fetch_downloads
from slubench.data.recordings import Progress, encoded_clips, no_progress, rejected_clip
from slubench.data.rows import Rejected, read_rows
from slubench.data.source import Source, SplitFiles
from slubench.domain.utterance import Clip
from slubench.errors import DataError, MissingError
from slubench.runtime.system import cores

BATCH = 16


@dataclass(frozen=True)
class Prepared:
    """The counts of a prepared part.

    Attributes:
        part: Corpus, language and split.
        rows: Its rows.
        clips: Clips that lie in the store now.
        rejected: Rows and clips that cannot be used.
    """

    part: str
    rows: int
    clips: int
    rejected: tuple[Rejected, ...]


def find_or_fetch(part: TaskSplit, source: Source, watch: Progress = no_progress) -> SplitFiles:
    """The files of a part; missing ones are downloaded from the Hub or the web.

    Raises:
        MissingError: They cannot be had; the message says why and what to do.
        DataError: What is there is not whole.
    """
    looking = dataclasses.replace(source, looks_only=True)
    downloads = next((layout.downloads for layout in part.corpus.layouts if layout.downloads), ())
    try:
        looking.find(part.corpus, part.language, part.split)
    except MissingError:
        if downloads and source.hub:
            if source.mirror is None:
                raise MissingError(
                    f"{part} is missing. Give a folder to download it to with --corpora DIR."
                    f" {part.corpus.terms} ({part.corpus.licence}, {part.corpus.home_page})"
                ) from None
            fetch_downloads(downloads, part.split, source.mirror, watch)
    return source.find(part.corpus, part.language, part.split)


def prepare(
    shards: SplitFiles, store: ClipStore, workers: int | None = None, watch: Progress = no_progress
) -> Prepared:
    """Decode and resample the clips of a part into the store; those already there are skipped.

    Several commands may do so at once. A few batches of clips are in memory at a time, whatever the size of
    the corpus.

    Args:
        shards: The part.
        store: Where decoded clips are kept.
        workers: Processes that decode; None for one a core. With 0 this process does it.
        watch: Opens a progress bar of so many clips.

    Raises:
        DataError: A file is not whole, lacks a column, or a column holds something else.
    """
    rows = read_rows(shards)
    by_clip = {utterance.clip: utterance for utterance in rows.utterances if utterance.clip is not None}
    rejected = list(rows.rejected)
    clips = 0
    with watch(f"decoding {shards}", len(by_clip)) as done:
        encoded = encoded_clips(list(by_clip), shards.corpus.audio)
        for clip, why in _decoded(encoded, store, cores() if workers is None else workers):
            if why is None:
                clips += 1
            else:
                rejected.append(rejected_clip(str(shards), by_clip[clip].key, clip, DataError(why)))
            done(clips + len(rejected) - len(rows.rejected))
    return Prepared(str(shards), len(rows.utterances), clips, tuple(rejected))


def _decoded(
    encoded: Iterable[tuple[Clip, bytes | DataError]], store: ClipStore, workers: int
) -> Iterator[tuple[Clip, str | None]]:
    """Each clip with its error, or None."""
    clips = iter(encoded)
    batches = iter(lambda: list(islice(clips, BATCH)), [])
    if workers < 2:
        for batch in batches:
            yield from add_all(store, batch)
        return
    # Spawned, not forked: Arrow's threads would not live in a fork.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        waiting: set[Future[list[tuple[Clip, str | None]]]] = set()
        for batch in batches:
            waiting.add(pool.submit(add_all, store, batch))
            if len(waiting) >= 2 * workers:
                finished, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                for future in finished:
                    yield from future.result()
        for future in waiting:
            yield from future.result()


def add_all(
    store: ClipStore, batch: Sequence[tuple[Clip, bytes | DataError]]
) -> list[tuple[Clip, str | None]]:
    """Add clips to the store; gives each with its error, or None."""
    told: list[tuple[Clip, str | None]] = []
    for clip, encoded in batch:
        try:
            if isinstance(encoded, DataError):
                raise encoded
            store.add(encoded)
            told.append((clip, None))
        except DataError as error:
            told.append((clip, str(error)))
    return told
