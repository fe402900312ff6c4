"""Validation sets: validation text, a slice of the bought clips, or spoken validation."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

from slubench.data.clips import ClipStore
from slubench.data.recordings import Progress, Recordings, decode_recordings, no_progress
from slubench.data.rows import Rejected, one_each, read_rows
from slubench.data.source import SplitFiles
from slubench.domain.pool import Pool
from slubench.domain.run import Run
from slubench.domain.selection import SELECTIONS, SLICE
from slubench.domain.strategy import Example
from slubench.domain.utterance import Clip, Utterance
from slubench.errors import DataError, UsageError
from slubench.trainset.purchase import Purchase


@dataclass(frozen=True)
class ValidationSet:
    """Held-out examples on which the loss is measured.

    Attributes:
        name: The selection's.
        examples: In the order of the split, or of purchase.
        recordings: Decoded clips of theirs that the purchase does not hold.
        rejected: Rows and clips of the validation split that cannot be used.
    """

    name: str
    examples: tuple[Example, ...] = ()
    recordings: Recordings | None = None
    rejected: tuple[Rejected, ...] = ()

    @property
    def clips(self) -> list[Clip]:
        """The clips used."""
        return [part for example in self.examples for part in example.parts if isinstance(part, Clip)]

    def seconds(self, bought: Purchase) -> float:
        """The length of those clips."""
        recordings = self.recordings or bought.recordings
        return sum(recordings.seconds(clip) for clip in self.clips)


def watch_run(
    run: Run,
    bought: Purchase,
    shards: Sequence[SplitFiles],
    store: ClipStore,
    watch: Progress = no_progress,
) -> tuple[Purchase, ValidationSet]:
    """The validation set of a run, and the rest of its purchase for training.

    Args:
        run: Whose selection it is.
        bought: Its purchase.
        shards: The validation split, from `slubench.data.splits.find_watched`.
        store: Where decoded clips are kept.
        watch: Opens a progress bar for the decoding.

    Raises:
        UsageError: A slice of the bought clips is wanted, and too few were bought.
        DataError: No row of the validation split can be used.
    """
    selection = SELECTIONS[run.selects]
    if selection.slice:
        left, kept = _sliced(run, bought)
        examples = tuple(Example.spoken(utterance) for utterance in kept)
        return dataclasses.replace(bought, pool=left), ValidationSet(run.selects, examples)
    if not selection.splits:
        return bought, ValidationSet(run.selects)
    read = [read_rows(part) for part in shards]
    rows = [utterance for part in read for utterance in part.utterances]
    rejected = [row for part in read for row in part.rejected]
    if selection.text:
        first: dict[tuple[str, str], Utterance] = {}
        for utterance in rows:
            first.setdefault((utterance.language, utterance.id), utterance)
        examples = tuple(Example.written(utterance) for utterance in first.values())
        recordings = None
    else:
        spoken = one_each((u for u in rows if u.clip is not None), "")
        audio = run.task.corpus.audio
        recordings = decode_recordings(spoken, audio, " ".join(map(str, shards)), store, watch)
        rejected += recordings.rejected
        examples = tuple(Example.spoken(u) for u in spoken if u.clip in recordings.keys)
    if not examples:
        why = f" The first: {rejected[0]}" if rejected else ""
        raise DataError(f"{' '.join(map(str, shards))} has no usable row for validation.{why}")
    return bought, ValidationSet(run.selects, examples, recordings, tuple(rejected))


def _sliced(run: Run, bought: Purchase) -> tuple[Pool, list[Utterance]]:
    """The pool without a slice of the bought clips, and that slice.

    It is the last of them in the order of purchase, so that of a larger budget no clip is lacking that a
    smaller one learns.
    """
    paid = set(bought.bought)
    clips = [utterance for utterance in bought.pool.speech() if utterance.clip in paid]
    if len(clips) < 2:
        raise UsageError(
            f"--selection {run.selects} keeps one in {SLICE} bought clips out of training, but"
            f" {run.strategy.name} at {run.budget} has {len(clips)}. Give more with"
            " --speech, or use --selection val-text."
        )
    kept = clips[-max(1, len(clips) // SLICE) :]
    names = {utterance.clip for utterance in kept}
    heard = {
        language: [utterance for utterance in there if utterance.clip not in names]
        for language, there in bought.pool.bought.items()
    }
    return dataclasses.replace(bought.pool, bought=heard), kept
