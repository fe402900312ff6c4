"""Reads gold files in SLURP's or MASSIVE's format."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from slubench.data.formats.massive import labels_of_row
from slubench.data.formats.slurp import by_recording, labels_of, of_speaker
from slubench.data.table_files import numbered_rows
from slubench.domain.meaning import AnnotationError, Meaning, from_annotation
from slubench.errors import DataError
from slubench.metrics.tokens import label_annotation, labelled
from slubench.scoring.gold import RECORDINGS, SENTENCES, GoldItem, GoldSet, in_locale
from slubench.scoring.slurp_rows import read_gold_row, tokens_of


def gold_of_file(path: Path, *, gold_transcripts: bool = False) -> GoldSet:
    """A gold file: SLURP's `test.jsonl`, or rows of MASSIVE as JSONL or Parquet.

    Of MASSIVE's JSONL, which holds all partitions of a language, the test is taken. Where SLURP's
    `metadata.json` lies beside the file, recordings are sliced by speaker, sex and first language, too.

    Args:
        path: The file.
        gold_transcripts: Whether sentences are asked, and not their recordings.

    Raises:
        DataError: A row is of neither format; the message names it. `metadata.json` is not SLURP's.
    """
    speakers = {} if gold_transcripts else _speakers(path.with_name("metadata.json"))
    read: list[_GoldRow] = []
    for place, row in numbered_rows(path):
        try:
            if "annot_utt" in row:
                read.append(_massive(row, place))
            else:
                read += _slurp(row, place, gold_transcripts, speakers)
        except DataError as error:
            raise DataError(f"{path}, {place} {error}") from None
    if not read:
        raise DataError(f"{path} contains no gold labels")
    partitions = {one.partition for one in read}
    if len(partitions) > 1 and "test" in partitions:
        read = [one for one in read if one.partition == "test"]
    locales = frozenset(one.locale for one in read if one.locale)
    items = _items(path, read, locales)
    return GoldSet(
        str(path), items, {}, SENTENCES if gold_transcripts else (*RECORDINGS, "slurp_id"), locales
    )


class _GoldRow(NamedTuple):
    """An item as its row tells it."""

    name: str
    item: GoldItem
    place: str
    partition: str = ""
    locale: str = ""


def _items(path: Path, rows: Iterable[_GoldRow], locales: frozenset[str]) -> dict[str, GoldItem]:
    """The items by their names; of several locales by locale and name.

    Raises:
        DataError: A row is of no locale among such that are, or two rows of one name mean different things.
    """
    items: dict[str, GoldItem] = {}
    places: dict[str, str] = {}
    for one in rows:
        name, item = one.name, one.item
        if len(locales) > 1:
            if not one.locale:
                raise DataError(
                    f"{path}, {one.place} has no locale, but other rows have {', '.join(sorted(locales))}."
                    " Add the locale to each row, or score one locale at a time."
                )
            name = in_locale(one.locale, name)
            item = replace(item, columns={**item.columns, "locale": one.locale})
        if name in items and (items[name].text, items[name].meaning) != (item.text, item.meaning):
            raise DataError(
                f"{path}: {places[name]} and {one.place} are both {name!r} and differ."
                " Remove one of them. If the file contains several locales, add the locale to each row."
            )
        items[name], places[name] = item, one.place
    return items


def _slurp(
    row: Mapping[str, Any], place: str, gold_transcripts: bool, speakers: Mapping[str, str]
) -> Iterator[_GoldRow]:
    gold, names = read_gold_row(row, gold_transcripts=gold_transcripts)
    tokens = tokens_of(row)
    labels = labels_of(row["entities"], tokens)
    text = str(row.get("sentence", " ".join(tokens)))
    columns = _columns(gold.meaning)
    item = GoldItem(gold.sentence, text, gold.meaning, columns, labelled(tokens, labels))
    for name in names:
        heard = {} if gold_transcripts else {"headset": "yes" if "-headset" in name else "no"}
        if name in speakers:
            heard |= {"speaker": speakers[name], **of_speaker(speakers[name])}
        yield _GoldRow(name, replace(item, columns=columns | heard), place)


def _massive(row: Mapping[str, Any], place: str) -> _GoldRow:
    scenario, intent = labels_of_row(row)
    annotated, locale = row["annot_utt"], row.get("locale")
    if not isinstance(annotated, str) or not isinstance(scenario, str) or not isinstance(intent, str):
        raise DataError("is not a row of MASSIVE: expected id, scenario, intent and annot_utt")
    if row.get("id") is None or not intent.startswith(f"{scenario}_"):
        raise DataError(f"has no id, or its intent {intent!r} does not belong to its scenario {scenario!r}")
    try:
        text, entities = from_annotation(annotated)
    except AnnotationError as error:
        raise DataError(f"cannot be read: {error}") from None
    meaning = Meaning(scenario, intent.removeprefix(f"{scenario}_"), entities)
    item = GoldItem(str(row["id"]), text, meaning, _columns(meaning), label_annotation(annotated))
    return _GoldRow(str(row["id"]), item, place, str(row.get("partition", "")), str(locale or ""))


def _speakers(metadata: Path) -> dict[str, str]:
    """The speaker of each recording in `metadata.json`, if that file exists."""
    if not metadata.is_file():
        return {}
    try:
        told = by_recording(json.loads(metadata.read_text("utf-8")))
        return {name: str(of[name]["usrid"]) for name, of in told if (of.get(name) or {}).get("usrid")}
    except (ValueError, OSError, AttributeError, TypeError) as error:
        raise DataError(
            f"{metadata} is not SLURP's ({error}): expected records with recordings, by file name, with"
            " usrid. Correct or remove it."
        ) from None


def _columns(meaning: Meaning) -> dict[str, str]:
    return {"intent": meaning.intent, "entities": "some" if meaning.entities else "none"}
