"""Spends a budget: reads the training rows, buys recordings in their order, decodes what was bought."""

from __future__ import annotations

from dataclasses import dataclass

from slubench.budget import Budget
from slubench.clips import ClipStore
from slubench.corpora.recordings import Recordings, Watch, decode_recordings, unwatched
from slubench.corpora.rows import Rejected, Rows, read_rows
from slubench.corpora.source import Shards, Source
from slubench.errors import DataError
from slubench.pool import Pool
from slubench.task import Task
from slubench.utterance import Clip, Utterance


@dataclass(frozen=True)
class Purchase:
    """A pool, and what it took to fill it.

    Attributes:
        pool: What a strategy may read and hear.
        written: T, the written examples of the pools.
        spoken: S, the spoken examples of the pools.
        bought: The clips paid for, those that do not decode included.
        recordings: Decoded clips.
        rejected: Rows and clips that cannot be used.
    """

    pool: Pool
    written: int
    spoken: int
    bought: tuple[Clip, ...]
    recordings: Recordings
    rejected: tuple[Rejected, ...]


def find_pools(task: Task, source: Source) -> tuple[Shards, ...]:
    """The shards of every language that the task learns from."""
    languages = dict.fromkeys((*task.text_in, *task.speech_in))
    return tuple(source.find(task.corpus, language, task.train) for language in languages)


def purchase(
    task: Task,
    shards: tuple[Shards, ...],
    budget: Budget,
    data_seed: int,
    store: ClipStore,
    watch: Watch = unwatched,
) -> Purchase:
    """Fill the pool of a task within a budget.

    A row that is not as it should be is left out and counted, and so is a bought clip that does not
    decode: it stays paid for.

    Args:
        task: Whose languages and split are read.
        shards: From `find_pools`.
        budget: What may be spent on speech, in all languages of speech together.
        data_seed: Draws the order of purchase.
        store: Where decoded clips are kept.
        watch: Opens a progress bar for the decoding.

    Raises:
        DataError: No row of the pools can be used.
    """
    read = {part.language: read_rows(part) for part in shards}
    rejected = [row for rows in read.values() for row in rows.rejected]
    written = {language: _usable(read[language], language, rejected) for language in task.text_in}
    spoken = [u for language in task.speech_in for u in read[language].utterances if u.clip is not None]
    length = _Lengths(task, store)
    bought = budget.buy(spoken, data_seed, length) if budget else []
    recordings = decode_recordings(bought, task.corpus.audio, _place(task), store, watch)
    heard: dict[str, list[Utterance]] = {language: [] for language in task.speech_in}
    for utterance in bought:
        if utterance.clip in recordings.keys:
            heard[utterance.language].append(utterance)
    return Purchase(
        pool=Pool(written, heard, budget),
        written=sum(len(rows) for rows in written.values()),
        spoken=len(spoken),
        bought=tuple(u.clip for u in bought if u.clip is not None),
        recordings=recordings,
        rejected=(*rejected, *recordings.rejected),
    )


def _usable(rows: Rows, language: str, rejected: list[Rejected]) -> tuple[Utterance, ...]:
    if not rows.utterances:
        first = f" The first: {rejected[0]}" if rejected else ""
        raise DataError(f"None of the {len(rejected)} training rows in {language!r} can be used.{first}")
    return rows.utterances


def _place(task: Task) -> str:
    return f"{task.corpus.name}/{'+'.join(task.speech_in)}/{task.train}"


@dataclass(frozen=True)
class _Lengths:
    """Seconds of a recording, decoded when it is asked; one that does not decode costs nothing."""

    task: Task
    store: ClipStore

    def __call__(self, utterance: Utterance) -> float:
        one = decode_recordings([utterance], self.task.corpus.audio, _place(self.task), self.store)
        return one.seconds(utterance.clip) if utterance.clip in one.keys and utterance.clip else 0.0
