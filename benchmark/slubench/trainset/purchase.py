"""Spends a budget: reads the training rows, buys recordings in order, and decodes them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from slubench.data.clips import ClipStore
from slubench.data.recordings import Progress, Recordings, decode_recordings, no_progress
from slubench.data.rows import Rejected, Rows, one_each, read_rows
from slubench.data.source import SplitFiles
from slubench.domain.budget import FEW, Budget, purchase_order
from slubench.domain.pool import UNLABELLED, Pool, Unlabelled
from slubench.domain.task import Task
from slubench.domain.utterance import Clip, Utterance
from slubench.errors import DataError
from slubench.trainset.train_set import Exposure, exposure

Choice: TypeAlias = Callable[[Sequence[Utterance], Callable[[Utterance], float]], list[Utterance]]


@dataclass(frozen=True)
class Purchase:
    """A pool, and how it was filled.

    Attributes:
        pool: What a strategy may read and hear.
        written: T, the written examples of the pools, those of the target language included.
        spoken: The spoken examples of the source pools; with `target_spoken` they are S.
        bought: The clips paid for, those that do not decode included.
        recordings: Decoded clips.
        rejected: Rows and clips that cannot be used.
        target_spoken: The spoken examples of the target language that the condition opens.
        target: Those of their clips that are heard, if any are.
        synthetic: The clips that a machine spoke.
        chosen: The utterances that a strategy's own `choose` bought, by language; None where the budget's
            order drew them.
    """

    pool: Pool
    written: int
    spoken: int
    bought: tuple[Clip, ...]
    recordings: Recordings
    rejected: tuple[Rejected, ...]
    target_spoken: int = 0
    target: tuple[Clip, ...] = ()
    synthetic: frozenset[Clip] = frozenset()
    chosen: Mapping[str, tuple[str, ...]] | None = None

    def exposure(self, batch: int) -> Exposure:
        """The updates and clip exposures of every strategy, with `batch` examples per update."""
        paid = len(self.bought) + len(self.target)
        return exposure(self.written, self.spoken + self.target_spoken, paid, batch)


def purchase(
    task: Task,
    shards: tuple[SplitFiles, ...],
    budget: Budget,
    data_seed: int,
    store: ClipStore,
    watch: Progress = no_progress,
    uses_speech: bool = True,
    choose: Choice | None = None,
    unlabelled: bool = False,
) -> Purchase:
    """Fill the pool of a task with what the budget buys.

    A row that is not as it should be is left out and counted, and so is a bought clip that does not
    decode: it stays paid for.

    Args:
        task: Whose languages and split are read.
        shards: From `slubench.data.splits.find_pools`.
        budget: What may be spent on speech, in all languages of speech together, and the condition on
            target data.
        data_seed: Draws the order of purchase.
        store: Where decoded clips are kept.
        watch: Opens a progress bar for the decoding.
        uses_speech: Whether the strategy takes speech at all.
        choose: Chooses the clips in place of the budget's own order; gets the recordings for sale and their
            lengths.
        unlabelled: Whether the recordings that are not bought are given without transcript and labels.

    Raises:
        DataError: No row of the pools can be used.
    """
    read = _Read.of(shards)
    few = _few(task, read, budget, data_seed)
    written = _written(task, read, budget, few)
    spoken = _for_sale(task, read, budget, data_seed)
    wares = spoken
    if budget.unit == FEW:
        wares = [u for language in task.speech_in for u in read.spoken(task, language, task.few)]
    bought: list[Utterance] = []
    if budget and uses_speech:
        lengths = _Lengths(task, store)
        if choose is not None:
            # Read together: one by one, each would open its file anew.
            decode_recordings(wares, task.corpus.audio, _place(task), store, watch)
            bought = choose(wares, lengths)
        else:
            bought = budget.buy(wares, data_seed, lengths)
    given = few if uses_speech else []
    left = _left(wares, (*bought, *given), data_seed) if unlabelled and uses_speech else []
    recordings = decode_recordings((*bought, *given, *left), task.corpus.audio, _place(task), store, watch)
    unbought = _unlabelled([u for u in left if u.clip in recordings.keys]) if unlabelled else None
    heard: dict[str, list[Utterance]] = {language: [] for language in task.speech_in}
    for utterance in (*bought, *given):
        if utterance.clip in recordings.keys:
            heard.setdefault(utterance.language, []).append(utterance)
    return Purchase(
        pool=Pool(written, heard, budget, unbought),
        written=sum(len(rows) for rows in written.values()),
        spoken=len(spoken),
        bought=_clips(bought),
        recordings=recordings,
        rejected=(*read.rejected, *recordings.rejected),
        target_spoken=len(few),
        target=_clips(given),
        synthetic=frozenset(_clips(u for u in bought if u.synthetic)),
        chosen=_names(bought) if choose is not None else None,
    )


def cell_sizes(task: Task, shards: tuple[SplitFiles, ...], budget: Budget) -> tuple[int, int]:
    """T and S, the written and spoken examples of a cell; no clip is decoded for them.

    Args:
        task: Whose pools they are.
        shards: From `slubench.data.splits.find_pools`.
        budget: Its condition on target data, and whether all recordings are for sale.

    Raises:
        DataError: No row of the pools can be used.
    """
    read = _Read.of(shards)
    few = _few(task, read, budget, 0)
    written = _written(task, read, budget, few)
    return sum(map(len, written.values())), len(_for_sale(task, read, budget, 0)) + len(few)


def buys_all(
    task: Task, shards: tuple[SplitFiles, ...], budget: Budget, data_seed: int, store: ClipStore
) -> bool:
    """Whether a budget below 100 % (minutes, utterances, a large share) covers all of the task's speech.

    Args:
        task: Whose pool it is.
        shards: From `slubench.data.splits.find_pools`.
        budget: What may be spent.
        data_seed: Draws the order of purchase.
        store: Where decoded clips are kept: minutes are counted in the order of purchase.
    """
    share = budget.unit == "share"
    # Half rounds up, so that no smaller share can be all of it but of a single clip.
    if budget.unit not in ("minutes", "utterances") and not (share and 0.5 < budget.amount < 1):
        return False
    read = _Read.of(shards)
    wares = _for_sale(task, read, budget, data_seed)
    if share:
        return len(budget.buy(wares, data_seed, _Lengths(task, store))) == len(wares) > 1
    if budget.unit == "utterances":
        return budget.amount >= len(wares)
    # Clips last more than a second in the mean, so that less than that can't be all of them.
    if 60 * budget.amount < len(wares):
        return False
    return len(budget.buy(wares, data_seed, _Lengths(task, store))) == len(wares)


def _few(task: Task, read: _Read, budget: Budget, data_seed: int) -> list[Utterance]:
    """The spoken examples of the target language that the condition opens."""
    if not task.check_target(budget.target).few_speech:
        return []
    return one_each(read.spoken(task, task.test_in, task.few), data_seed)


def _written(
    task: Task, read: _Read, budget: Budget, few: Iterable[Utterance]
) -> dict[str, tuple[Utterance, ...]]:
    """The written examples by language, those of the target language included."""
    condition = task.check_target(budget.target)
    written = {language: _sentences(read.usable(task, language, task.train)) for language in task.text_in}
    if condition.all_text and task.target_text:
        every = read.rows[task.target_text.name, task.test_in, "train"].utterances
        written[task.test_in] = _sentences((*every, *few))
    elif condition.few_text:
        written[task.test_in] = _sentences(read.usable(task, task.test_in, task.few))
    return written


def _for_sale(task: Task, read: _Read, budget: Budget, data_seed: int) -> list[Utterance]:
    spoken: list[Utterance] = []
    for language in task.speech_in:
        there = read.spoken(task, language, task.speech_split)
        spoken += there if budget.all_recordings else one_each(there, data_seed)
    return spoken


@dataclass(frozen=True)
class _Read:
    """The rows of all files, by corpus, language and split."""

    rows: Mapping[tuple[str, str, str], Rows]

    @classmethod
    def of(cls, shards: Iterable[SplitFiles]) -> _Read:
        """The rows of some files."""
        return cls({(part.corpus.name, part.language, part.split): read_rows(part) for part in shards})

    @property
    def rejected(self) -> list[Rejected]:
        return [row for rows in self.rows.values() for row in rows.rejected]

    def usable(self, task: Task, language: str, split: str) -> tuple[Utterance, ...]:
        rows = self.rows[task.corpus.name, language, split]
        if not rows.utterances:
            first = f" The first: {rows.rejected[0]}" if rows.rejected else ""
            raise DataError(
                f"None of the {len(rows.rejected)} training rows in {language!r} is usable.{first}"
            )
        return rows.utterances

    def spoken(self, task: Task, language: str, split: str) -> list[Utterance]:
        utterances = self.rows[task.corpus.name, language, split].utterances
        return [utterance for utterance in utterances if utterance.clip is not None]


def _sentences(utterances: Iterable[Utterance]) -> tuple[Utterance, ...]:
    """The sentences of utterances, each once, without what differs between recordings."""
    first: dict[str, Utterance] = {}
    for utterance in utterances:
        first.setdefault(utterance.id, utterance)
    return tuple(
        dataclasses.replace(u, recording="", clip=None, speaker=None, slices={}) if u.recording else u
        for u in first.values()
    )


def _clips(utterances: Iterable[Utterance]) -> tuple[Clip, ...]:
    return tuple(utterance.clip for utterance in utterances if utterance.clip is not None)


def _left(wares: Sequence[Utterance], bought: Sequence[Utterance], data_seed: int) -> list[Utterance]:
    """The recordings of sentences that were not bought, in the order of purchase."""
    taken = {(u.language, u.id) for u in bought}
    return [u for u in purchase_order(wares, data_seed) if (u.language, u.id) not in taken]


def _unlabelled(left: Sequence[Utterance]) -> dict[str, list[Unlabelled]]:
    """Recordings without what would tell their transcript or labels: the id stands in the text pool too."""
    found: dict[str, list[Unlabelled]] = {}
    for utterance in left:
        there = found.setdefault(utterance.language, [])
        assert utterance.clip is not None
        there.append(Unlabelled(f"{UNLABELLED}{len(there):06d}", utterance.language, utterance.clip))
    return found


def _names(bought: Iterable[Utterance]) -> dict[str, tuple[str, ...]]:
    names: dict[str, tuple[str, ...]] = {}
    for utterance in bought:
        names[utterance.language] = (*names.get(utterance.language, ()), utterance.key)
    return names


def _place(task: Task) -> str:
    return f"{task.corpus.name}/{'+'.join(task.speech_in)}/{task.speech_split}"


@dataclass(frozen=True)
class _Lengths:
    """The duration of a recording, decoded on demand; an undecodable one costs nothing."""

    task: Task
    store: ClipStore

    def __call__(self, utterance: Utterance) -> float:
        one = decode_recordings([utterance], self.task.corpus.audio, _place(self.task), self.store)
        return one.seconds(utterance.clip) if utterance.clip in one.keys and utterance.clip else 0.0
