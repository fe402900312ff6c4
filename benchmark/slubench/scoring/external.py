"""Reads predictions of any system: SLURP's official format, or raw replies, see `slubench.data.table_files`.

A row says what it is for (`file`, `utterance`, `id` or `slurp_id`) and what was understood: `reply`, the one
line of JSON that this benchmark asks for, or `scenario`, `action` and `entities` as in SLURP's files. Beside
them it may have `locale` (needed where gold is of several), `input` (rows of different inputs are scored
apart), `transcript` and `labels` (one for each gold token).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from slubench.data.table_files import numbered_rows
from slubench.domain.lenient_reply import read_leniently
from slubench.domain.meaning import Meaning, meaning_of, transcript_of
from slubench.domain.renamed_columns import row_of_today
from slubench.errors import DataError
from slubench.metrics.slurp import SlurpPrediction
from slubench.scoring.slurp_rows import read_name, read_prediction

_CODE = re.compile(r"[a-z]{2,3}([-_][A-Za-z]{2,4})*")


@dataclass(frozen=True)
class ExternalPrediction:
    """A row of predictions.

    Attributes:
        item: What it is for, as the file names it.
        prediction: What was understood; None where a reply does not parse.
        input: What the model was given, empty where the file does not tell.
        transcript: The words understood, where the file has them.
        labels: A label a gold token, where the file has them.
        labels_alone: Whether its entities are to be read off the labels.
        replied: Whether it is a reply, which can be read leniently too.
        lenient: What the lenient reading of the reply gives.
        place: Where it stands in its file, in words.
        locale: Of what locale or language it is, where the file tells.
    """

    item: str
    prediction: SlurpPrediction | None
    input: str = ""
    transcript: str | None = None
    labels: tuple[str, ...] | None = None
    labels_alone: bool = False
    replied: bool = False
    lenient: Meaning | None = None
    place: str = ""
    locale: str = ""

    @property
    def name(self) -> str:
        """The item it is for, with its locale where the file tells that."""
        return f"{self.locale}/{self.item}" if self.locale else self.item


def read_predictions(path: Path, keys: Sequence[str]) -> list[ExternalPrediction]:
    """Read a file of predictions.

    Args:
        path: Of a format that `slubench.data.table_files` reads.
        keys: Names of the column that says what a row is for; the first that a row has counts.

    Raises:
        DataError: A line or row is not a prediction; the message names it and says what is wrong.
    """
    said = []
    for place, row in numbered_rows(path):
        try:
            said.append(replace(_said(row, keys), place=place))
        except DataError as error:
            raise DataError(f"{path}, {place}: {error}") from None
    if not said:
        raise DataError(f"{path} contains no predictions")
    return said


def _said(row: Mapping[str, object], keys: Sequence[str]) -> ExternalPrediction:
    row = row_of_today(row)
    labels = row.get("labels")
    if labels is not None and not (
        isinstance(labels, list) and all(isinstance(label, str) for label in labels)
    ):
        raise DataError('"labels" must be a list of strings, one for each gold token')
    alone = labels is not None and row.get("entities") is None and row.get("reply") is None
    transcript, input_kind = _text(row, "transcript"), _text(row, "input") or ""
    prediction: SlurpPrediction | None
    lenient: Meaning | None = None
    if row.get("reply") is not None:
        reply = _text(row, "reply") or ""
        transcript = transcript_of(reply) if transcript is None else transcript
        meaning = meaning_of(reply)
        prediction = SlurpPrediction(meaning) if meaning else None
        lenient = read_leniently(reply, meaning)
    elif alone:
        prediction = read_prediction({**row, "entities": []})
    elif "reply" in row and "scenario" not in row:
        raise DataError('"reply" is null; use "" for an empty reply')
    elif "scenario" not in row and "action" not in row and "entities" not in row:
        raise DataError('it has neither "reply" nor "scenario", "action" and "entities"')
    else:
        prediction = read_prediction(row)
    return ExternalPrediction(
        read_name(row, keys),
        prediction,
        input_kind,
        transcript,
        tuple(labels) if labels is not None else None,
        alone,
        row.get("reply") is not None,
        lenient,
        locale=_locale(row),
    )


def _locale(row: Mapping[str, object]) -> str:
    """What a row says of its locale; `language` counts where it holds a code, and no name of a language."""
    if (locale := _text(row, "locale")) is not None:
        return locale
    told = (row.get(name) for name in ("language", "lang"))
    return next((one for one in told if isinstance(one, str) and _CODE.fullmatch(one)), "")


def _text(row: Mapping[str, object], name: str) -> str | None:
    value = row.get(name)
    if not isinstance(value, str | None):
        raise DataError(f'"{name}" must be a string')
    return value
