"""Answers joined with gold and measured: the rows of a score file, and the sums per cluster beside them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from slubench.data.rows import read_rows
from slubench.data.source import SplitFiles
from slubench.domain.utterance import Utterance
from slubench.errors import DataError
from slubench.metrics.bootstrap import cluster_sums
from slubench.metrics.measured import Family, families_of, measured
from slubench.metrics.tally import normalise, normalise_text
from slubench.metrics.words import measure_words, tally_words
from slubench.scoring.predictions import WAYS, Prediction
from slubench.scoring.sidecars import SliceSums
from slubench.scoring.slices import columns_of, gathered, speakers_of

HEADLINE = ("slu_f1", "intent_accuracy", "entity_f1", "exact_match")
"""What is told of each of sixty intents; other slices have every measure."""
SLOTLESS = ("intent_accuracy", "scenario_accuracy", "action_accuracy", "parse_failures")
"""What may be told where the corpus does not know the slots: others are absent, not zero."""
Heard = Collection[tuple[str, str]]
"""Language and key of utterances."""


@dataclass
class Scored:
    """Scores of a run's answers.

    Attributes:
        rows: A row a measure, slice and way of asking, by the columns of `slubench.schemas.SCORES`.
        parts: Sums by sentence, of each slice and way of asking: what comparisons are made of.
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
    heard: Heard | None = None,
) -> Scored:
    """Score answers against gold from the corpus, each way of asking apart.

    Every measure stands there twice: `normalised` (both sides in NFC, lower case, white space folded;
    ranked) and as published.

    Args:
        answers: In whatever ways they were asked.
        test: Where gold is.
        pools: What was learnt from, for slices of seen and unseen sentences and speakers.
        file: Where the answers are from, for messages.
        heard: The utterances of the pools whose clips were heard in training; a speaker is seen by these
            alone. None where it is not known: then there are no slices by seen speakers.

    Raises:
        DataError: An answer is to nothing in the test.
    """
    gold = {utterance.key: utterance for utterance in read_rows(test).utterances}
    seen = _seen(pools, heard)
    scored = Scored(gold=gold)
    for asked in WAYS:
        replies = [answer for answer in answers if answer.asked == asked]
        if replies:
            _score_way(scored, asked, replies, [_gold(gold, one.utterance, file) for one in replies], seen)
    return scored


def _score_way(
    scored: Scored,
    asked: str,
    replies: Sequence[Prediction],
    utterances: Sequence[Utterance],
    seen: tuple[set[str], set[str] | None],
) -> None:
    pairs = zip(utterances, replies, strict=True)
    slices = gathered(_columns(utterance, answer, seen) for utterance, answer in pairs)
    sentences = [utterance.id for utterance in utterances]
    spoken = speakers_of([(u.key, u.speaker) for u in utterances])
    for normalised in (True, False):
        families = _families(replies, utterances, normalised)
        for (by, name), members in slices.items():
            speakers = {utterances[at].speaker for at in members} - {None}
            place: dict[str, Any] = {
                "asked": asked,
                "slice_by": by,
                "slice": name,
                "normalised": normalised,
                "speakers": len(speakers) or None,
            }
            only: Sequence[str] = HEADLINE if by == "intent" else ()
            if not all(utterances[at].slots_known for at in members):
                only = [name for name in SLOTLESS if not only or name in only]
            scored.rows += [
                place | one._asdict() for one in measured(families, sentences, members, only, spoken)
            ]
            if normalised or by == "all":
                factors = [sentences] if spoken is None else [sentences, spoken]
                names = ([factor[at] for at in members] for factor in factors)
                clusters = cluster_sums(families[0].counts[members], *names)
                scored.parts.append(SliceSums(asked, by, name, normalised, clusters))


def _families(
    replies: Sequence[Prediction], utterances: Sequence[Utterance], normalised: bool
) -> list[Family]:
    meant = [utterance.meaning for utterance in utterances]
    read = [answer.meaning for answer in replies]
    said = [answer.transcript or "" for answer in replies]
    words = [utterance.text for utterance in utterances]
    if normalised:
        meant = [normalise(meaning) for meaning in meant]
        read = [normalise(meaning) if meaning else None for meaning in read]
        said, words = ([normalise_text(text) for text in texts] for texts in (said, words))
    families = families_of(meant, read)
    if any(answer.transcript is not None for answer in replies):
        families.append(Family(tally_words(words, said), measure_words))
    return families


def _columns(
    utterance: Utterance, answer: Prediction, seen: tuple[set[str], set[str] | None]
) -> Mapping[str, str]:
    sentences, speakers = seen
    columns = columns_of(utterance, answer.seconds)
    if sentences:
        columns["sentence"] = "seen" if utterance.text in sentences else "unseen"
    if speakers is not None and utterance.speaker is not None:
        columns["speaker"] = "seen" if utterance.speaker in speakers else "unseen"
    return columns


def _seen(pools: Sequence[SplitFiles], heard: Heard | None) -> tuple[set[str], set[str] | None]:
    """Sentences of the training pools, and the speakers that were heard in training."""
    rows = [utterance for shards in pools for utterance in read_rows(shards).utterances]
    if heard is None or not any(u.speaker is not None for u in rows):
        return {u.text for u in rows}, None
    return {u.text for u in rows}, {
        u.speaker for u in rows if u.speaker is not None and (u.language, u.key) in heard
    }


def _gold(gold: Mapping[str, Utterance], key: str, file: Path) -> Utterance:
    if key not in gold:
        raise DataError(f"{file}: utterance {key} is not in the test; these are answers to another corpus.")
    return gold[key]
