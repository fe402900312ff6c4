"""Scores a predictions file: as published and normalised, lenient and strict."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from slubench.domain.metric import Metric
from slubench.errors import DataError, unknown
from slubench.metrics.measured import Replies, families_of, measured
from slubench.metrics.measures import SLURP
from slubench.metrics.slurp import (
    Breakdown,
    SlurpGold,
    SlurpPrediction,
    normalised_gold,
    normalised_predictions,
    score,
)
from slubench.metrics.tokens import Tagged, entities_of
from slubench.scoring.external import ExternalPrediction
from slubench.scoring.gold import GoldItem, GoldSet
from slubench.scoring.slices import gathered, speakers_of


class Variant(NamedTuple):
    """How predictions are compared, and which items count.

    Attributes:
        normalised: Both sides normalised (ranked), or as published.
        strict: Gold without a prediction is wrong, or skipped as in the published scorer.
    """

    normalised: bool
    strict: bool

    def __str__(self) -> str:
        return ("normalised" if self.normalised else "official") + (", strict" if self.strict else "")


VARIANTS = (Variant(False, False), Variant(False, True), Variant(True, False), Variant(True, True))


@dataclass(frozen=True)
class FileScores:
    """The scores of predictions from one input.

    Attributes:
        input: What the model was given, empty where the file does not tell.
        items: Items of gold.
        missing: Items without a prediction.
        extra: Predictions for nothing in gold.
        doubled: Predictions that a later one of the same item replaces.
        unparsed: Replies that do not parse.
        rows: A measure of a slice and variant each.
        labels: By variant and kind of measure, micro, macro and by label.
    """

    input: str
    items: int
    missing: int
    extra: int
    doubled: int
    unparsed: int
    rows: list[dict[str, Any]] = field(repr=False)
    labels: dict[Variant, dict[str, Breakdown]] = field(repr=False)

    def to_json(self, *, full: bool) -> dict[str, Any]:
        """The scores as JSON, with labels if `full`."""
        content = {one.name: getattr(self, one.name) for one in dataclasses.fields(self)[:-2]}
        content["scores"] = self.rows
        if full:
            content["labels"] = list(self._labels())
        return content

    def _labels(self) -> Iterator[dict[str, Any]]:
        for variant, kinds in self.labels.items():
            for kind, part in kinds.items():
                averages = {"micro": part.micro, "macro": part.macro}
                rows = [("average", name, row) for name, row in averages.items()]
                rows += [("label", name, row) for name, row in part.labels.items()]
                for what, name, row in rows:
                    yield variant._asdict() | {"kind": kind, what: name} | row._asdict()


def score_file(
    said: Sequence[ExternalPrediction], gold: GoldSet, metrics: Iterable[Metric], by: Sequence[str] = ()
) -> list[FileScores]:
    """Score predictions, separately for each input.

    Args:
        said: Predictions in the file's order; the last of several for one item counts.
        gold: What was meant.
        metrics: Those that count.
        by: Columns of gold to slice by.

    Raises:
        UsageError: Gold has no such column.
        DataError: Nothing that was predicted is in gold.
    """
    columns = {name for item in gold.items.values() for name in item.columns}
    for name in by:
        if name not in columns:
            raise unknown(
                "column to slice by", name, columns, f"{gold.place} has: {', '.join(sorted(columns))}."
            )
    chosen = list(metrics)
    by_input: dict[str, list[ExternalPrediction]] = {}
    for one in said:
        by_input.setdefault(one.input, []).append(one)
    return [_scored(input_kind, rows, gold, chosen, by) for input_kind, rows in by_input.items()]


def _scored(
    input_kind: str,
    said: Sequence[ExternalPrediction],
    gold: GoldSet,
    metrics: Sequence[Metric],
    by: Sequence[str],
) -> FileScores:
    found: dict[str, ExternalPrediction] = {}
    extra: set[str] = set()
    for one in said:
        name = gold.find(one.item)
        if name is None:
            extra.add(one.item)
        else:
            found[name] = one
    if not found:
        raise DataError(
            f"No prediction matches {gold.place}: predictions are for {said[0].item!r} and so on, gold has"
            f" {next(iter(gold.items))!r} and so on. Is this the gold of another corpus or split?"
        )
    doubled = len(said) - sum(one.item in extra for one in said) - len(found)
    items = list(gold.items.values())
    slices = gathered({name: item.columns[name] for name in by if name in item.columns} for item in items)
    answers = [found.get(name) for name in gold.items]
    meant = {name: SlurpGold(item.sentence, item.meaning) for name, item in gold.items.items()}
    heard = {name: _prediction(one, gold.items[name]) for name, one in found.items()}
    replies = _replies(gold.items, answers, [heard.get(name) for name in gold.items])
    rows: list[dict[str, Any]] = []
    labels: dict[Variant, dict[str, Breakdown]] = {}
    for normalised in (False, True):
        scores = (
            score(normalised_gold(meant), normalised_predictions(heard))
            if normalised
            else score(meant, heard)
        )
        families = families_of(replies, metrics, normalised=normalised, counted={SLURP: scores.counts})
        for strict in (False, True):
            variant = Variant(normalised, strict)
            labels[variant] = scores.strict if strict else scores.official
            for (column, value), members in slices.items():
                counted = members if strict else members[scores.predicted[members]]
                place = {"input": input_kind, "slice_by": column, "slice": value} | variant._asdict()
                rows += [place | one._asdict() for one in measured(replies, families, counted)]
    return FileScores(
        input=input_kind,
        items=len(items),
        missing=scores.missing,
        extra=len(extra),
        doubled=doubled,
        unparsed=sum(prediction is None for prediction in heard.values()),
        rows=rows,
        labels=labels,
    )


def _prediction(said: ExternalPrediction, item: GoldItem) -> SlurpPrediction | None:
    if not said.labels_alone or said.prediction is None:
        return said.prediction
    if item.labelled is None or said.labels is None:
        raise DataError(
            f"{said.item} has labels but no entities, and gold has no tokens to apply the labels to"
        )
    tokens = item.labelled.tokens
    return SlurpPrediction(
        dataclasses.replace(said.prediction.meaning, entities=entities_of(tokens, said.labels))
    )


def _replies(
    gold: Mapping[str, GoldItem],
    answers: Sequence[ExternalPrediction | None],
    predicted: Sequence[SlurpPrediction | None],
) -> Replies:
    items = list(gold.values())
    meanings = [one.meaning if one else None for one in predicted]
    return Replies(
        sentences=[item.sentence for item in items],
        gold=[item.meaning for item in items],
        predicted=meanings,
        texts=[item.text for item in items],
        transcripts=[one.transcript if one else None for one in answers],
        gold_labels=[
            Tagged(item.meaning.intent, item.labelled.labels) if item.labelled else None for item in items
        ],
        labels=[
            Tagged(meaning.intent, one.labels) if one and meaning and one.labels is not None else None
            for one, meaning in zip(answers, meanings, strict=True)
        ],
        slots_known=[item.slots_known for item in items],
        speakers=speakers_of([(name, item.columns.get("speaker")) for name, item in gold.items()]),
    )
