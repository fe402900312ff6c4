"""The gold of a task: its test set, with the corpus's slices."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from slubench.data.rows import open_parquet, read_rows
from slubench.data.source import SplitFiles
from slubench.domain.utterance import Utterance
from slubench.errors import DataError
from slubench.metrics.tokens import Labelled, labelled
from slubench.scoring.gold import RECORDINGS, GoldItem, GoldSet
from slubench.scoring.slices import columns_of, length_of


def gold_of_task(test: SplitFiles, *, lengths: bool = False) -> GoldSet:
    """The test set of a task.

    Args:
        test: Its shards.
        lengths: Whether clips are sliced by length, for which their headers are read.

    Raises:
        DataError: A row of the test cannot be used.
    """
    rows = read_rows(test)
    if rows.rejected:
        raise DataError(f"{len(rows.rejected)} test rows cannot be used; the first is {rows.rejected[0]}")
    labels = _labels(test)
    seconds = _seconds(rows.utterances, test.corpus.audio) if lengths else {}
    items = {}
    for utterance in rows.utterances:
        columns = columns_of(utterance)
        if utterance.key in seconds:
            columns["length"] = length_of(seconds[utterance.key])
        if utterance.speaker is not None:
            columns["speaker"] = utterance.speaker
        items[utterance.key] = GoldItem(
            utterance.id,
            utterance.text,
            utterance.meaning,
            columns,
            labels.get(utterance.id),
            utterance.slots_known,
        )
    return GoldSet(str(test), items, _aliases(rows.utterances), (*RECORDINGS, "slurp_id"))


def _aliases(utterances: Iterable[Utterance]) -> dict[str, str]:
    """Aliases of recordings: their file names, with or without ending."""
    aliases: dict[str, str] = {}
    for utterance in utterances:
        if utterance.recording:
            name = Path(utterance.recording).name
            stem = name.removesuffix(".flac")
            aliases |= dict.fromkeys((utterance.recording, name, stem, f"{stem}.flac"), utterance.key)
    return aliases


def _labels(test: SplitFiles) -> dict[str, Labelled]:
    """Gold labels by sentence, where the corpus's files have them (Speech-MASSIVE: `tokens`, `labels`)."""
    found: dict[str, Labelled] = {}
    for path in test.files:
        file = open_parquet(path)
        if not {"id", "tokens", "labels"} <= set(file.schema_arrow.names):
            continue
        for batch in file.iter_batches(columns=["id", "tokens", "labels"]):
            for row in batch.to_pylist():
                if row["tokens"] is not None and row["labels"] is not None:
                    found[str(row["id"])] = labelled(row["tokens"], row["labels"])
    return found


def _seconds(utterances: Iterable[Utterance], audio: str) -> dict[str, float]:
    import io

    import soundfile

    from slubench.data.recordings import encoded_clips

    named = {utterance.clip: utterance.key for utterance in utterances if utterance.clip is not None}
    found = {}
    for clip, encoded in encoded_clips(list(named), audio):
        if isinstance(encoded, DataError):
            continue
        try:
            found[named[clip]] = float(soundfile.info(io.BytesIO(encoded)).duration)
        except soundfile.SoundFileError:
            continue
    return found
