"""Reads the rows of SLURP's gold and predictions files.

Gold rows are those of `test.jsonl`; predictions are rows with `file` (or `slurp_id`, where gold transcripts
were read instead of recordings), `scenario`, `action` and `entities`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from slubench.data.formats.slurp import spanned
from slubench.domain.meaning import Entity, Meaning
from slubench.errors import DataError
from slubench.metrics.slurp import SlurpGold, SlurpPrediction

Row = Mapping[str, object]


def read_gold(rows: Iterable[Row], *, gold_transcripts: bool = False) -> dict[str, SlurpGold]:
    """Gold by recording's file, or by sentence id.

    A filler is the lower-cased surfaces of its span's tokens, joined by one space. Intent is scenario and
    action joined: the rows' own `intent` field is not read, it is wrong in places.

    Raises:
        DataError: A row lacks a field, or a span points beyond its tokens.
    """
    gold: dict[str, SlurpGold] = {}
    for number, row in enumerate(rows, start=1):
        try:
            item, files = read_gold_row(row, gold_transcripts=gold_transcripts)
        except DataError as error:
            raise DataError(f"gold row {number} {error}") from None
        gold.update(dict.fromkeys(files, item))
    return gold


def read_gold_row(row: Row, *, gold_transcripts: bool = False) -> tuple[SlurpGold, list[str]]:
    """One sentence, and the names of its items: the files of its recordings, or its own id.

    Raises:
        DataError: The row lacks a field, or a span points beyond its tokens.
    """
    try:
        _object(row)
        sentence = str(row["slurp_id"])
        entities = spanned(_rows(row["entities"]), tokens_of(row))
        item = SlurpGold(sentence, Meaning(str(row["scenario"]), str(row["action"]), entities))
        if gold_transcripts:
            return item, [sentence]
        return item, [str(recording["file"]) for recording in _rows(row["recordings"])]
    except (KeyError, TypeError, DataError) as error:
        raise DataError(
            f"is not a row of SLURP: {_reason(error)}; expected slurp_id, tokens, "
            "scenario, action, entities and recordings as in SLURP's test.jsonl"
        ) from None


def tokens_of(row: Row) -> list[str]:
    """The tokens of a gold row as written."""
    return [str(token["surface"]) for token in _rows(row["tokens"])]


def read_predictions(rows: Iterable[Row], *, gold_transcripts: bool = False) -> dict[str, SlurpPrediction]:
    """Predictions by recording's file, or by sentence id (a string or an integer).

    The last of several for one item counts.

    Raises:
        DataError: A row lacks a field or holds another type than it should; the message names its number.
    """
    key = "slurp_id" if gold_transcripts else "file"
    predictions: dict[str, SlurpPrediction] = {}
    for number, row in enumerate(rows, start=1):
        try:
            name = read_name(row, (key,))
            predictions[name] = read_prediction(row)
        except DataError as error:
            raise DataError(f"prediction row {number} cannot be scored: {error}") from None
    return predictions


def read_name(row: Row, keys: Sequence[str]) -> str:
    """The item of a row: the value, a string or an integer, of the first of `keys` that it has.

    Raises:
        DataError: It has none of them, or another type of value.
    """
    try:
        _object(row)
        key = next((key for key in keys if row.get(key) is not None), keys[0])
        name = row[key]
        if isinstance(name, bool) or not isinstance(name, str | int):
            raise TypeError(f'"{key}" must be a string or an integer')
    except (KeyError, TypeError) as error:
        expected = " or ".join(f'"{key}"' for key in keys)
        raise DataError(f"{_reason(error)}; expected the key {expected}") from None
    return str(name)


def read_prediction(row: Row) -> SlurpPrediction:
    """The scenario, action and entities of a row.

    Raises:
        DataError: It lacks one of the three, or holds another type than it should.
    """
    try:
        _object(row)
        entities, spans = _entities(row["entities"])
        return SlurpPrediction(Meaning(_label(row, "scenario"), _label(row, "action"), entities), spans)
    except (KeyError, TypeError) as error:
        raise DataError(
            f"{_reason(error)}; expected the keys "
            "scenario, action and entities, a list of objects with type and filler"
        ) from None


def _entities(value: object) -> tuple[tuple[Entity, ...], tuple[tuple[str, ...], ...] | None]:
    entities: list[Entity] = []
    spans: list[tuple[str, ...]] = []
    for entity in _rows(value):
        kind, filler = entity["type"], entity.get("filler")
        if not isinstance(kind, str) or not isinstance(filler, str | None):
            raise TypeError("an entity's type and filler must be strings")
        if filler is not None:
            entities.append(Entity(kind, filler))
        ordinary = filler is not None and len(entity) == 2
        spans.append(entities[-1] if ordinary else (kind, "", "keys other than type and filler"))
    return tuple(entities), tuple(spans) if spans != entities else None


def _label(row: Row, name: str) -> str:
    label = row[name]
    if not isinstance(label, str | None):
        raise TypeError(f'"{name}" must be a string')
    return str(label)  # null is scored as the wrong label "None", as published


def _object(row: object) -> None:
    if not isinstance(row, dict | Mapping):
        raise TypeError("it is not an object")


def _rows(value: object) -> list[Mapping[str, object]]:
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        raise TypeError("expected a list of objects")
    return value


def _reason(error: Exception) -> str:
    return f"it has no {error}" if isinstance(error, KeyError) else str(error)
