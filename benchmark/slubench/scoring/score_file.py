"""Scores a file of predictions: official and normalised, lenient and strict, never mixed."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from slubench.domain.meaning import Meaning
from slubench.errors import DataError, unknown
from slubench.metrics.measured import Family, measured
from slubench.metrics.measures import measure
from slubench.metrics.slots import measure_slots, tally_slots
from slubench.metrics.slurp import (
    Breakdown,
    SlurpGold,
    SlurpPrediction,
    SlurpScores,
    normalised_gold,
    normalised_predictions,
    score,
)
from slubench.metrics.tally import Counts, normalise, normalise_text
from slubench.metrics.tokens import as_counts, entities_of, measure_tokens, tally_tokens
from slubench.metrics.words import measure_words, tally_words
from slubench.scoring.external import ExternalPrediction
from slubench.scoring.gold import GoldItem, GoldSet
from slubench.scoring.slices import gathered, speakers_of


class Variant(NamedTuple):
    """How answers are compared and which count.

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
    """The scores of the predictions that were asked in one way.

    Attributes:
        asked: The way of asking, empty where the file does not tell.
        items: Items of gold.
        missing: Items without a prediction.
        extra: Predictions for nothing in gold.
        doubled: Predictions that a later one of the same item replaces.
        unparsed: Replies that do not parse.
        rows: A measure of a slice and variant each.
        labels: By variant and kind of measure, micro, macro and by label.
    """

    asked: str
    items: int
    missing: int
    extra: int
    doubled: int
    unparsed: int
    rows: list[dict[str, Any]] = field(repr=False)
    labels: dict[Variant, dict[str, Breakdown]] = field(repr=False)

    def to_json(self, *, full: bool) -> dict[str, Any]:
        """All of it for programs; the labels where `full`."""
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


def score_file(said: Sequence[ExternalPrediction], gold: GoldSet, by: Sequence[str] = ()) -> list[FileScores]:
    """Score predictions, those asked in each way apart.

    Args:
        said: Predictions in the file's order; the last of several for one item counts.
        gold: What was meant.
        by: Columns of gold to slice by.

    Raises:
        UsageError: Gold has no such column.
        DataError: Nothing that was predicted is in gold.
    """
    columns = {name for item in gold.items.values() for name in item.columns}
    for name in by:
        if name not in columns:
            raise unknown(
                "column to slice by", name, columns, f"{gold.place} tells: {', '.join(sorted(columns))}."
            )
    ways = {
        asked: [one for one in said if one.asked == asked] for asked in dict.fromkeys(s.asked for s in said)
    }
    return [_scored(asked, rows, gold, by) for asked, rows in ways.items()]


def _scored(asked: str, said: Sequence[ExternalPrediction], gold: GoldSet, by: Sequence[str]) -> FileScores:
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
            f"Nothing that is predicted is in {gold.place}: predicted is {said[0].item!r} and so on, gold"
            f" holds {next(iter(gold.items))!r} and so on. Is it the gold of another corpus or split?"
        )
    doubled = len(said) - sum(one.item in extra for one in said) - len(found)
    items = list(gold.items.values())
    slices = gathered({name: item.columns[name] for name in by if name in item.columns} for item in items)
    answers = [found.get(name) for name in gold.items]
    meant = {name: SlurpGold(item.sentence, item.meaning) for name, item in gold.items.items()}
    heard = {name: _prediction(one, gold.items[name]) for name, one in found.items()}
    sentences = [item.sentence for item in items]
    spoken = speakers_of([(name, item.columns.get("speaker")) for name, item in gold.items.items()])
    rows: list[dict[str, Any]] = []
    labels: dict[Variant, dict[str, Breakdown]] = {}
    for normalised in (False, True):
        scores = (
            score(normalised_gold(meant), normalised_predictions(heard))
            if normalised
            else score(meant, heard)
        )
        families = _families(items, answers, heard, scores, normalised)
        for strict in (False, True):
            variant = Variant(normalised, strict)
            labels[variant] = scores.strict if strict else scores.official
            for (column, value), members in slices.items():
                counted = members if strict else members[scores.predicted[members]]
                place = {"asked": asked, "slice_by": column, "slice": value} | variant._asdict()
                rows += [place | one._asdict() for one in measured(families, sentences, counted, (), spoken)]
    return FileScores(
        asked=asked,
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
        raise DataError(f"{said.item} has labels and no entities, and gold has no tokens for them")
    tokens = item.labelled.tokens
    return SlurpPrediction(
        dataclasses.replace(said.prediction.meaning, entities=entities_of(tokens, said.labels))
    )


def _families(
    items: Sequence[GoldItem],
    answers: Sequence[ExternalPrediction | None],
    heard: Mapping[str, SlurpPrediction | None],
    scores: SlurpScores,
    normalised: bool,
) -> list[Family]:
    read = [heard.get(name) for name in scores.items]
    gold = [item.meaning for item in items]
    meanings = [one.meaning if one else None for one in read]
    if normalised:
        gold = [normalise(meaning) for meaning in gold]
        meanings = [normalise(meaning) if meaning else None for meaning in meanings]
    families = [Family(scores.counts, measure), Family(tally_slots(gold, meanings), measure_slots)]
    if any(one is not None and one.labels is not None for one in answers):
        families.append(Family(_token_counts(items, answers, meanings), measure_tokens))
    if any(one is not None and one.transcript is not None for one in answers):
        said = [(one.transcript if one else None) or "" for one in answers]
        texts = [item.text for item in items]
        if normalised:
            said, texts = ([normalise_text(text) for text in part] for part in (said, texts))
        families.append(Family(tally_words(texts, said), measure_words))
    return families


def _token_counts(
    items: Sequence[GoldItem],
    answers: Sequence[ExternalPrediction | None],
    meanings: Sequence[Meaning | None],
) -> Counts:
    rows = []
    for item, answer, meaning in zip(items, answers, meanings, strict=True):
        if item.labelled is None:
            raise DataError(f"predictions have labels, and gold has none for sentence {item.sentence}")
        same = meaning is not None and meaning.intent == item.meaning.intent
        rows.append(tally_tokens(item.labelled.labels, answer.labels if answer else None, same))
    return as_counts(rows)
