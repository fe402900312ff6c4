"""Gold to score predictions against: a task's test, or a file in SLURP's or MASSIVE's own format."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from slubench.corpora.rows import open_parquet, read_rows
from slubench.corpora.source import Shards
from slubench.errors import DataError
from slubench.meaning import AnnotationError, Meaning, from_annotation
from slubench.metrics.slurp_rows import read_gold_row
from slubench.metrics.tokens import Labelled, label_annotation, labelled
from slubench.predictions import numbered_rows
from slubench.slices import columns_of, length_of
from slubench.utterance import Utterance

RECORDINGS = ("file", "utterance", "id")
SENTENCES = ("slurp_id", "utterance", "id")


@dataclass(frozen=True)
class GoldItem:
    """What one item of a test means.

    Attributes:
        sentence: The sentence it is of: the cluster of intervals.
        text: The transcript.
        meaning: Scenario, action and entities.
        columns: The slices it is in.
        labelled: Its tokens with their labels, where gold has them.
    """

    sentence: str
    text: str
    meaning: Meaning
    columns: Mapping[str, str]
    labelled: Labelled | None = None


@dataclass(frozen=True)
class GoldSet:
    """The items of a test.

    Attributes:
        place: Where they are from, for people.
        items: By name.
        aliases: Other names that predictions may use for items.
        keys: Columns in which predictions may name an item.
    """

    place: str
    items: Mapping[str, GoldItem]
    aliases: Mapping[str, str]
    keys: tuple[str, ...]

    def find(self, name: str) -> str | None:
        """The item of that name, None where there is none."""
        return name if name in self.items else self.aliases.get(name)


def gold_of_task(test: Shards, *, lengths: bool = False) -> GoldSet:
    """The test of a task.

    Args:
        test: Its shards.
        lengths: Whether clips are sliced by length, for which their headers are read.

    Raises:
        DataError: A row of the test cannot be used.
    """
    rows = read_rows(test)
    if rows.rejected:
        raise DataError(f"{len(rows.rejected)} rows of the test cannot be used, first {rows.rejected[0]}")
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
            utterance.id, utterance.text, utterance.meaning, columns, labels.get(utterance.id)
        )
    return GoldSet(str(test), items, _aliases(rows.utterances), (*RECORDINGS, "slurp_id"))


def gold_of_file(path: Path, *, gold_transcripts: bool = False) -> GoldSet:
    """A gold file: SLURP's `test.jsonl`, or rows of MASSIVE as JSONL or Parquet.

    Of MASSIVE's JSONL, which holds all partitions of a language, the test is taken.

    Args:
        path: The file.
        gold_transcripts: Whether sentences are asked, and not their recordings.

    Raises:
        DataError: A row is of neither format; the message names it.
    """
    items: dict[str, GoldItem] = {}
    partitions: dict[str, list[str]] = {}
    for place, row in numbered_rows(path):
        try:
            for name, item, partition in (
                _massive(row) if "annot_utt" in row else _slurp(row, gold_transcripts)
            ):
                items[name] = item
                partitions.setdefault(partition, []).append(name)
        except DataError as error:
            raise DataError(f"{path}, {place} {error}") from None
    if not items:
        raise DataError(f"{path} holds no gold")
    if len(partitions) > 1 and "test" in partitions:
        items = {name: items[name] for name in partitions["test"]}
    return GoldSet(str(path), items, {}, SENTENCES if gold_transcripts else (*RECORDINGS, "slurp_id"))


def _slurp(row: Mapping[str, Any], gold_transcripts: bool) -> Iterator[tuple[str, GoldItem, str]]:
    gold, names = read_gold_row(row, gold_transcripts=gold_transcripts)
    tokens = [str(token["surface"]) for token in row["tokens"]]
    labels = ["O"] * len(tokens)
    for entity in row["entities"]:
        for at, place in enumerate(sorted(entity["span"])):
            labels[place] = f"{'I' if at else 'B'}-{entity.get('type', 'unknown')}"
    text = str(row.get("sentence", " ".join(tokens)))
    columns = _columns(gold.meaning)
    item = GoldItem(gold.sentence, text, gold.meaning, columns, labelled(tokens, labels))
    for name in names:
        heard = {} if gold_transcripts else {"headset": "yes" if "-headset" in name else "no"}
        yield name, replace(item, columns=columns | heard), ""


def _massive(row: Mapping[str, Any]) -> Iterator[tuple[str, GoldItem, str]]:
    scenario = row.get("scenario_str", row.get("scenario"))
    intent = row.get("intent_str", row.get("intent"))
    annotated = row["annot_utt"]
    if not isinstance(annotated, str) or not isinstance(scenario, str) or not isinstance(intent, str):
        raise DataError("is not a row of MASSIVE: expected id, scenario, intent and annot_utt as strings")
    if row.get("id") is None or not intent.startswith(f"{scenario}_"):
        raise DataError(f"has no id, or its intent {intent!r} is not of its scenario {scenario!r}")
    try:
        text, entities = from_annotation(annotated)
    except AnnotationError as error:
        raise DataError(f"cannot be read: {error}") from None
    meaning = Meaning(scenario, intent.removeprefix(f"{scenario}_"), entities)
    item = GoldItem(str(row["id"]), text, meaning, _columns(meaning), label_annotation(annotated))
    yield str(row["id"]), item, str(row.get("partition", ""))


def _columns(meaning: Meaning) -> dict[str, str]:
    return {"intent": meaning.intent, "entities": "some" if meaning.entities else "none"}


def _aliases(utterances: Iterable[Utterance]) -> dict[str, str]:
    """A recording may be named by its file alone, with or without ending."""
    aliases: dict[str, str] = {}
    for utterance in utterances:
        if utterance.recording:
            name = Path(utterance.recording).name
            stem = name.removesuffix(".flac")
            aliases |= dict.fromkeys((utterance.recording, name, stem, f"{stem}.flac"), utterance.key)
    return aliases


def _labels(test: Shards) -> dict[str, Labelled]:
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

    from slubench.corpora.recordings import encoded_clips

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
