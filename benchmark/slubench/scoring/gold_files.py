"""Reads gold files in SLURP's or MASSIVE's format."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from slubench.data.formats.slurp import by_recording, labels_of, of_speaker
from slubench.data.row_files import numbered_rows
from slubench.domain.meaning import AnnotationError, Meaning, from_annotation
from slubench.errors import DataError
from slubench.metrics.tokens import label_annotation, labelled
from slubench.scoring.gold import RECORDINGS, SENTENCES, GoldItem, GoldSet
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
    items: dict[str, GoldItem] = {}
    partitions: dict[str, list[str]] = {}
    for place, row in numbered_rows(path):
        try:
            for name, item, partition in (
                _massive(row) if "annot_utt" in row else _slurp(row, gold_transcripts, speakers)
            ):
                items[name] = item
                partitions.setdefault(partition, []).append(name)
        except DataError as error:
            raise DataError(f"{path}, {place} {error}") from None
    if not items:
        raise DataError(f"{path} contains no gold labels")
    if len(partitions) > 1 and "test" in partitions:
        items = {name: items[name] for name in partitions["test"]}
    return GoldSet(str(path), items, {}, SENTENCES if gold_transcripts else (*RECORDINGS, "slurp_id"))


def _slurp(
    row: Mapping[str, Any], gold_transcripts: bool, speakers: Mapping[str, str]
) -> Iterator[tuple[str, GoldItem, str]]:
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
        yield name, replace(item, columns=columns | heard), ""


def _massive(row: Mapping[str, Any]) -> Iterator[tuple[str, GoldItem, str]]:
    scenario = row.get("scenario_str", row.get("scenario"))
    intent = row.get("intent_str", row.get("intent"))
    annotated = row["annot_utt"]
    if not isinstance(annotated, str) or not isinstance(scenario, str) or not isinstance(intent, str):
        raise DataError("is not a row of MASSIVE: expected id, scenario, intent and annot_utt as strings")
    if row.get("id") is None or not intent.startswith(f"{scenario}_"):
        raise DataError(f"has no id, or its intent {intent!r} does not belong to its scenario {scenario!r}")
    try:
        text, entities = from_annotation(annotated)
    except AnnotationError as error:
        raise DataError(f"cannot be read: {error}") from None
    meaning = Meaning(scenario, intent.removeprefix(f"{scenario}_"), entities)
    item = GoldItem(str(row["id"]), text, meaning, _columns(meaning), label_annotation(annotated))
    yield str(row["id"]), item, str(row.get("partition", ""))


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
