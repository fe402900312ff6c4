"""Reads tables of people's own: a row an utterance, with its recording, text, intent and perhaps slots.

The table is Parquet, JSON lines, CSV or TSV. Recordings are in the Parquet file itself or in files of their
own that a column names. `slubench new task` writes a task that uses it (docs/tasks.md).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from slubench.domain.corpus import ANY, HubRepo, Layout, Row
from slubench.domain.meaning import AnnotationError, Entity, Meaning, from_annotation
from slubench.domain.utterance import Clip, Utterance
from slubench.errors import DataError

SPLITS: Mapping[str, tuple[str, ...]] = {
    "train": ("train", "training"),
    "validation": ("validation", "valid", "val", "dev", "devel", "eval"),
    "test": ("test", "testing"),
}
"""Names that splits bear in people's files."""
MULTIPLE = "+"
"""Joins the intents of an utterance that has several."""


@dataclass(frozen=True, kw_only=True)
class Columns:
    """Which column holds what; an empty name stands for none.

    Attributes:
        text: The transcript.
        intent: The intent, or a list of several.
        audio: The recording: bytes in Parquet, else the name of its file.
        id: The sentence's id; without it the name of the recording's file counts.
        scenario: The scenario of the intent; without it `domain` counts.
        entities: Slots, in one of the forms that `entities_of` reads. Without it slots are unknown: only
            intents are trained and scored.
        speaker: The speaker's id.
        slices: Columns by which scores are sliced.
        domain: The scenario of every row, where no column tells it.
    """

    text: str = "text"
    intent: str = "intent"
    audio: str = "audio"
    id: str = ""
    scenario: str = ""
    entities: str = ""
    speaker: str = ""
    slices: tuple[str, ...] = ()
    domain: str = "command"


def table(
    files: tuple[str, ...],
    columns: Columns,
    *,
    name: str = "the table",
    folder: str = "",
    hub: HubRepo | None = None,
    partition: str = "",
    divide: Callable[[Row], str] | None = None,
    divided: bool = False,
    splits: Mapping[str, tuple[str, ...]] = SPLITS,
    assumed: bool = False,
    root: str = "",
) -> Layout:
    """The layout of a table, for a `Corpus`.

    Args:
        files: Patterns below the corpora's folder or the Hub repository, with `{split}` and `{locale}`.
        columns: Which column holds what.
        name: For messages.
        folder: Below the corpora's folder: what names of recordings are relative to.
        hub: The repository, for a set on the Hub.
        partition: The column that names the split, where one table holds all.
        divide: Gives the split of a row, where a corpus has none of its own.
        divided: Whether it has none, and `by_hash` gives them.
        splits: Other names of splits.
        assumed: Whether names of files and columns were never seen.
        root: The folder that all of it is below, where that is not the corpora's folder.
    """
    needed = [columns.text, columns.intent, columns.scenario, columns.entities, partition]
    optional = [columns.id, columns.speaker, columns.audio, *columns.slices]

    def read(row: Row, language: str, clip: Clip | None) -> Utterance:
        return read_row(row, language, clip, columns)

    def recordings(row: Row) -> Iterable[tuple[Row, tuple[str, ...]]]:
        named = row.get(columns.audio)
        if isinstance(named, str) and named:
            yield row, tuple(f"{folder}/{place}".lstrip("/") for place in (named, f"audio/{named}"))

    return Layout(
        name=name,
        files=files,
        columns=dict.fromkeys((one for one in needed if one), ANY),
        optional=dict.fromkeys((one for one in optional if one and one not in needed), ANY),
        read=read,
        places={"*": hub} if hub is not None else {},
        splits=splits,
        partition=partition,
        divide=(lambda row: by_hash(row, columns)) if divided else divide,
        recordings=recordings if hub is None else None,
        clip_names=hub is not None and not columns.id,
        class_names=True,
        assumed=assumed,
        root=root,
    )


def by_hash(row: Row, columns: Columns) -> str:
    """The split of a row of a table without splits: two tenths test, one tenth validation.

    It goes by SHA-256 of the sentence's id, else of its text: it is the same everywhere, and recordings of
    one sentence are in one split.
    """
    named = row.get(columns.id) if columns.id else None
    key = str(named if named is not None else row.get(columns.text))
    tenth = int.from_bytes(hashlib.sha256(key.encode()).digest()[:4]) % 10
    return "test" if tenth < 2 else "validation" if tenth == 2 else "train"


def read_row(row: Row, language: str, clip: Clip | None, columns: Columns) -> Utterance:
    """Read a row.

    Raises:
        DataError: Text or intent is empty, there is no id, or the entities are of no form that is known.
    """
    text = str(row[columns.text] if row[columns.text] is not None else "")
    if not text.strip():
        raise DataError(f"{columns.text} is empty")
    entities: tuple[Entity, ...] = ()
    if columns.entities:
        text, entities = entities_of(row[columns.entities], text)
    scenario = _label(row[columns.scenario], columns.scenario) if columns.scenario else columns.domain
    action = _label(row[columns.intent], columns.intent) if columns.intent else "none"
    return Utterance(
        id=_identity(row, clip, columns),
        language=language,
        text=text,
        meaning=Meaning(scenario, action, entities),
        clip=clip,
        speaker=str(row[columns.speaker]) if row.get(columns.speaker) is not None else None,
        slices={name: str(row[name]) for name in columns.slices if row.get(name) is not None},
        slots_known=bool(columns.entities),
    )


def entities_of(value: object, text: str) -> tuple[str, tuple[Entity, ...]]:
    """The text and entities of a cell.

    It may hold JSON or be it: `[{"type": "time", "filler": "eight"}]`, `[{"time": "eight"}]`,
    `{"time": "eight"}` or `{"time": ["eight", "nine"]}`; spans of the text, `{"type": [...], "start": [...],
    "length": [...]}`; or the text with brackets, `wake me at [time : eight]`.

    Raises:
        DataError: It is of none of these forms.
    """
    if isinstance(value, str) and value.strip().startswith(("[{", "{", "[]")):
        try:
            value = json.loads(value)
        except ValueError as error:
            raise DataError(f"the entities are not JSON ({error})") from None
    if value is None or value == "":
        return text, ()
    if isinstance(value, str):
        try:
            return from_annotation(value)
        except AnnotationError as error:
            raise DataError(str(error)) from None
    if isinstance(value, Mapping):
        if {"type", "start", "length"} <= set(value):
            return text, _spans(value, text)
        value = [{kind: filler} for kind, filler in value.items() if filler is not None]
    if not isinstance(value, list):
        raise DataError(f"the entities are a {type(value).__name__}, expected a list or an object")
    return text, tuple(entity for one in value for entity in _pairs(one))


def _pairs(one: Any) -> Iterable[Entity]:
    if not isinstance(one, Mapping):
        raise DataError(
            f'an entity is a {type(one).__name__}, expected an object such as {{"time": "eight"}}'
        )
    if {"type", "filler"} <= set(one):
        yield Entity(str(one["type"]), str(one["filler"]))
        return
    if "type" in one and "value" in one:
        yield Entity(str(one["type"]), str(one["value"]))
        return
    for kind, filler in one.items():
        for each in filler if isinstance(filler, list) else [filler]:
            if each is not None:
                yield Entity(str(kind), str(each))


def _spans(value: Mapping[str, Any], text: str) -> tuple[Entity, ...]:
    found = sorted(zip(value["start"], value["length"], value["type"], strict=True))
    for start, length, kind in found:
        if not 0 <= start < start + length <= len(text):
            raise DataError(f"the span of {kind!r} ({start}, {length}) is not within the text")
    return tuple(Entity(str(kind), text[start : start + length]) for start, length, kind in found)


def _label(value: object, column: str) -> str:
    if isinstance(value, str) and value.startswith("["):
        try:
            value = json.loads(value)
        except ValueError:
            value = [value]
    if isinstance(value, list):
        value = MULTIPLE.join(str(one) for one in value)
    if value is None or not str(value).strip():
        raise DataError(f"{column} is empty")
    return str(value)


def _identity(row: Row, clip: Clip | None, columns: Columns) -> str:
    if columns.id and row.get(columns.id) is not None:
        return str(row[columns.id])
    named = row.get(columns.audio)
    named = named.get("path") if isinstance(named, Mapping) else named
    if named:
        return str(named)
    if clip is not None:
        return (
            clip.file.rpartition("/")[2] if clip.row is None else f"{clip.file.rpartition('/')[2]}:{clip.row}"
        )
    raise DataError(f"there is no {columns.id or 'id'} and no name of a recording")
