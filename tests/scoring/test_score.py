"""Scores of a run: joined by id, by the way of asking, normalised and as published, over speakers."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from slubench.data.editions import EDITIONS
from slubench.data.rows import read_rows
from slubench.data.source import SplitFiles
from slubench.data.splits import find_pools, find_test
from slubench.domain.budget import Budget
from slubench.domain.meaning import Entity, Meaning, as_reply
from slubench.domain.utterance import Utterance
from slubench.metrics import shipped
from slubench.registry import Registry
from slubench.runtime.digest import Digests
from slubench.scoring.predictions import Prediction, read_reply
from slubench.scoring.score import Scored, score_answers
from slubench.scoring.slices import speakers_of

METRICS = list(shipped().values())


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> tuple[SplitFiles, tuple[SplitFiles, ...]]:
    """Test and pools of the miniature."""
    source = EDITIONS["mini"].source(None, Digests(tmp_path_factory.mktemp("digests") / "digests.json"))
    task = Registry().task("massive-de")
    return find_test(task, source), find_pools(task, source, Budget.parse("5%"))


def replied(utterance: Utterance, asked: str, meaning: Meaning | None) -> Prediction:
    reply = as_reply(meaning) if meaning is not None else "nothing"
    return read_reply(utterance.key, asked, reply, 9)


def value(scored: Scored, metric: str, asked: str, *, normalised: bool = True) -> float:
    wanted = {"metric": metric, "input": asked, "slice_by": "all", "normalised": normalised}
    (row,) = [row for row in scored.rows if wanted.items() <= row.items()]
    return float(row["value"])


def test_an_answer_is_held_against_its_own_sentence_in_whatever_order_they_come(
    corpus: tuple[SplitFiles, tuple[SplitFiles, ...]],
) -> None:
    test, _ = corpus
    answers = [replied(u, "speech", u.meaning) for u in read_rows(test).utterances]
    random.Random(0).shuffle(answers)
    assert value(score_answers(answers, test, (), Path("answers"), METRICS), "exact_match", "speech") == 1.0


def test_what_was_asked_in_text_is_scored_from_the_replies_to_text(
    corpus: tuple[SplitFiles, tuple[SplitFiles, ...]],
) -> None:
    test, _ = corpus
    utterances = read_rows(test).utterances
    answers = [replied(u, "speech", None) for u in utterances]
    answers += [replied(u, "text", u.meaning) for u in utterances]
    scored = score_answers(answers, test, (), Path("answers"), METRICS)
    assert value(scored, "exact_match", "speech") == 0.0
    assert value(scored, "exact_match", "text") == 1.0
    # Intervals stand beside their own values, with a width at both ends.
    whole = [r for r in scored.rows if r["slice_by"] == "all" and r["metric"] == "exact_match"]
    for row in whole:
        assert row["low"] <= row["value"] <= row["high"]
        assert row["high"] - row["low"] > 0


def test_the_official_number_is_not_normalised(corpus: tuple[SplitFiles, tuple[SplitFiles, ...]]) -> None:
    test, _ = corpus
    utterances = read_rows(test).utterances

    def loud(meaning: Meaning) -> Meaning:
        entities = tuple(
            Entity(one.type, one.filler[:1].upper() + one.filler[1:]) for one in meaning.entities
        )
        return Meaning(meaning.scenario, meaning.action, entities)

    scored = score_answers(
        [replied(u, "speech", loud(u.meaning)) for u in utterances], test, (), Path("answers"), METRICS
    )
    assert value(scored, "slu_f1", "speech") == 1.0
    assert value(scored, "slu_f1", "speech", normalised=False) < 1.0


def test_a_speaker_is_seen_by_the_clips_that_were_heard_and_not_by_the_pool(
    corpus: tuple[SplitFiles, tuple[SplitFiles, ...]],
) -> None:
    test, pools = corpus
    utterances = read_rows(test).utterances
    answers = [replied(u, "speech", u.meaning) for u in utterances]
    spoken = [u for pool in pools for u in read_rows(pool).utterances if u.speaker is not None]
    in_test = {u.speaker for u in utterances}
    known = next(u for u in spoken if u.speaker in in_test)

    def counted(heard: set[tuple[str, str]] | None) -> dict[str, int]:
        scored = score_answers(answers, test, pools, Path("answers"), METRICS, heard)
        return {
            row["slice"]: row["n"]
            for row in scored.rows
            if row["slice_by"] == "speaker" and row["metric"] == "slu_f1" and row["normalised"]
        }

    own = sum(u.speaker == known.speaker for u in utterances)
    assert counted({(known.language, known.key)}) == {"seen": own, "unseen": len(utterances) - own}
    assert counted(set()) == {"unseen": len(utterances)}
    assert counted(None) == {}


def test_intervals_and_sums_are_over_speakers_where_the_corpus_names_them(
    corpus: tuple[SplitFiles, tuple[SplitFiles, ...]],
) -> None:
    test, _ = corpus
    utterances = read_rows(test).utterances
    answers = [replied(u, "speech", u.meaning if at % 3 else None) for at, u in enumerate(utterances)]
    scored = score_answers(answers, test, (), Path("answers"), METRICS)
    whole = [one for one in scored.parts if one.slice_by == "all" and one.normalised]
    assert {one.counting.name for one in whole} >= {"slurp", "slots"}
    for one in whole:
        assert set(one.clusters.names[1]) == {u.speaker for u in utterances}


def test_speakers_are_left_out_where_most_are_unknown_and_stand_alone_where_few_are() -> None:
    some = [("1", None), ("2", "a"), ("3", "a")]
    assert speakers_of(some) == ["unknown:1", "a", "a"]
    assert speakers_of(some[:2]) is None
    assert speakers_of(some[:1]) is None


def test_zero_shot_rows_tell_how_much_is_format(
    corpus: tuple[SplitFiles, tuple[SplitFiles, ...]],
) -> None:
    test, _ = corpus
    utterances = read_rows(test).utterances
    answers = [
        read_reply(u.key, "speech", f"Here you are:\n```json\n{as_reply(u.meaning)}\n```", 9)
        for u in utterances
    ]
    scored = score_answers(answers, test, (), Path("answers"), METRICS)
    for name in ("slu_f1", "intent_accuracy", "exact_match"):
        assert value(scored, name, "speech") == 0.0  # what is ranked is read strictly
        assert value(scored, f"lenient_{name}", "speech") == 1.0
        assert value(scored, f"format_{name}", "speech") == 1.0
    assert value(scored, "parse_failures", "speech") == 1.0
    sums = [one for one in scored.parts if one.counting.name == "readings"]
    assert {one.slice_by for one in sums} == {"all"}
    of_slices = {row["slice_by"] for row in scored.rows if row["metric"] == "lenient_slu_f1"}
    assert of_slices == {"all"}


def test_both_readings_agree_where_every_reply_is_in_the_format_asked_for(
    corpus: tuple[SplitFiles, tuple[SplitFiles, ...]],
) -> None:
    test, _ = corpus
    utterances = read_rows(test).utterances
    wrong = [utterances[-1], *utterances[:-1]]
    answers = [replied(u, "speech", other.meaning) for u, other in zip(utterances, wrong, strict=True)]
    scored = score_answers(answers, test, (), Path("answers"), METRICS)
    for normalised in (True, False):
        for name in ("slu_f1", "intent_accuracy", "exact_match"):
            strict = value(scored, name, "speech", normalised=normalised)
            assert 0 < strict < 1 or name == "exact_match"
            assert value(scored, f"lenient_{name}", "speech", normalised=normalised) == strict
            assert value(scored, f"format_{name}", "speech", normalised=normalised) == 0.0
