"""Compares predictions with gold: the rows of a score file, and the sums beside them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from slubench.data.rows import read_rows
from slubench.data.source import SplitFiles
from slubench.domain.metric import Metric
from slubench.domain.utterance import Utterance
from slubench.errors import DataError
from slubench.metrics.measured import Replies, families_of, measured
from slubench.scoring.predictions import EVERY_INPUT, Prediction
from slubench.scoring.sidecars import SliceSums
from slubench.scoring.slices import columns_of, gathered, speakers_of

Heard = Collection[tuple[str, str]]
"""Language and key of utterances."""
SHORT = ("intent",)
"""Columns with many slices, such as sixty intents, for which only headline metrics are computed."""


@dataclass
class Scored:
    """Scores of a run's predictions.

    Attributes:
        rows: A row a metric, slice and input, by the columns of `slubench.schemas.SCORES`.
        parts: Sums by sentence and speaker, of each slice, input and counting: what comparisons are made of.
        gold: The test's utterances by their keys.
    """

    rows: list[dict[str, Any]] = field(default_factory=list)
    parts: list[SliceSums] = field(default_factory=list)
    gold: Mapping[str, Utterance] = field(default_factory=dict)


def score_answers(
    answers: Sequence[Prediction],
    test: SplitFiles,
    pools: Sequence[SplitFiles],
    file: Path,
    metrics: Iterable[Metric],
    heard: Heard | None = None,
) -> Scored:
    """Score predictions against gold from the corpus, separately for each input.

    Every metric is there twice: `normalised` (both sides in NFC, lower case, white space folded; ranked) and
    as published.

    Args:
        answers: From whatever inputs.
        test: Where gold is.
        pools: What was learnt from, for slices of seen and unseen sentences and speakers.
        file: Where the predictions are from, for messages.
        metrics: Those that count.
        heard: The utterances of the pools whose clips were heard in training; a speaker is seen by these
            alone. None where it is not known: then there are no slices by seen speakers.

    Raises:
        DataError: A prediction is for nothing in the test.
    """
    gold = {utterance.key: utterance for utterance in read_rows(test).utterances}
    seen = _seen(pools, heard)
    scored, chosen = Scored(gold=gold), list(metrics)
    for input_kind in EVERY_INPUT:
        predictions = [answer for answer in answers if answer.input == input_kind]
        if predictions:
            utterances = [_gold(gold, one.utterance, file) for one in predictions]
            _score_input(scored, input_kind, predictions, utterances, seen, chosen)
    return scored


def _score_input(
    scored: Scored,
    input_kind: str,
    predictions: Sequence[Prediction],
    utterances: Sequence[Utterance],
    seen: tuple[set[str], set[str] | None],
    metrics: Sequence[Metric],
) -> None:
    pairs = zip(utterances, predictions, strict=True)
    slices = gathered(_columns(utterance, prediction, seen) for utterance, prediction in pairs)
    replies = Replies(
        sentences=[utterance.id for utterance in utterances],
        gold=[utterance.meaning for utterance in utterances],
        predicted=[prediction.meaning for prediction in predictions],
        texts=[utterance.text for utterance in utterances],
        transcripts=[prediction.transcript for prediction in predictions],
        slots_known=[utterance.slots_known for utterance in utterances],
        speakers=speakers_of([(utterance.key, utterance.speaker) for utterance in utterances]),
    )
    for normalised in (True, False):
        families = families_of(replies, metrics, normalised=normalised)
        for (by, name), members in slices.items():
            speakers = {utterances[at].speaker for at in members} - {None}
            place: dict[str, Any] = {
                "input": input_kind,
                "slice_by": by,
                "slice": name,
                "normalised": normalised,
                "speakers": len(speakers) or None,
            }
            found = measured(replies, families, members, _headline if by in SHORT else _every)
            scored.rows += [place | one._asdict() for one in found]
            if normalised or by == "all":
                for family in families:
                    sums = family.sums(replies, members)
                    scored.parts.append(SliceSums(input_kind, by, name, normalised, family.counting, sums))


def _every(metric: Metric) -> bool:
    return True


def _headline(metric: Metric) -> bool:
    return metric.headline


def _columns(
    utterance: Utterance, prediction: Prediction, seen: tuple[set[str], set[str] | None]
) -> Mapping[str, str]:
    sentences, speakers = seen
    columns = columns_of(utterance, prediction.seconds)
    if sentences:
        columns["sentence"] = "seen" if utterance.text in sentences else "unseen"
    if speakers is not None and utterance.speaker is not None:
        columns["speaker"] = "seen" if utterance.speaker in speakers else "unseen"
    return columns


def _seen(pools: Sequence[SplitFiles], heard: Heard | None) -> tuple[set[str], set[str] | None]:
    """Sentences of the training pools, and the speakers in training."""
    rows = [utterance for shards in pools for utterance in read_rows(shards).utterances]
    if heard is None or not any(u.speaker is not None for u in rows):
        return {u.text for u in rows}, None
    return {u.text for u in rows}, {
        u.speaker for u in rows if u.speaker is not None and (u.language, u.key) in heard
    }


def _gold(gold: Mapping[str, Utterance], key: str, file: Path) -> Utterance:
    if key not in gold:
        raise DataError(
            f"{file}: utterance {key} is not in the test set; these predictions belong to another corpus."
        )
    return gold[key]
