"""Scores of five recordings of three sentences, every row worked out by hand."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pyarrow.parquet as pq
import pytest

from slubench.data.recordings import Recordings
from slubench.data.rows import Rows
from slubench.domain.meaning import Entity, Meaning, as_reply
from slubench.domain.prompt import from_rows
from slubench.domain.utterance import Clip, Utterance
from slubench.metrics import Count, shipped
from slubench.metrics.slurp import SlurpPrediction
from slubench.runtime.home import REPLICATES, beside
from slubench.scoring.external import ExternalPrediction
from slubench.scoring.gold import GoldItem, GoldSet
from slubench.scoring.predictions import read_answers, read_reply, write_answers, write_questions
from slubench.scoring.score import Scored, score_answers
from slubench.scoring.score_file import FileScores, Variant, score_file
from slubench.scoring.sidecars import write_parts
from slubench.scoring.slices import length_of, speakers_of

METRICS = list(shipped().values())


def spoken(
    name: str, recording: str, speaker: str | None, *entities: tuple[str, str], **more: Any
) -> Utterance:
    meaning = Meaning("alarm", "set", tuple(Entity(*one) for one in entities))
    return Utterance(name, "en", f"text {name}", meaning, Clip(name + recording), recording, speaker, **more)


# Two recordings of sentence 1, two of sentence 2, one of sentence 3, whose slots gold does not know.
TEST = (
    spoken("1", "a", "ann", ("time", "Noon"), slices={"mic": "near"}),
    spoken("1", "b", "bob", ("time", "Noon"), slices={"mic": "far"}),
    spoken("2", "a", "ann", slices={"mic": "near"}),
    spoken("2", "b", "cat", slices={"mic": "near"}),
    spoken("3", "a", "bob", slices={"mic": "far"}, slots_known=False),
)
HEARD = (
    spoken("1", "z", "bob"),
    Utterance("7", "fr", "sept", Meaning("a", "b"), Clip("7"), "a", "cat"),
    Utterance("9", "en", "nine", Meaning("a", "b"), Clip("9"), "a", "ann"),
)
RIGHT, LOUD = (
    as_reply(Meaning("alarm", "set", (Entity("time", "noon"),))),
    as_reply(Meaning("alarm", "set", (Entity("time", "NOON"),))),
)
BARE, WRONG = as_reply(Meaning("alarm", "set")), as_reply(Meaning("alarm", "query"))
REPLIES = {"1/a": RIGHT, "1/b": LOUD, "2/a": BARE, "2/b": WRONG, "3/a": "no JSON"}
SECONDS = {"1/a": 1.0, "1/b": 2.0, "2/a": 2.5, "2/b": 7.0, "3/a": 7.5}


@pytest.fixture
def scored(monkeypatch: pytest.MonkeyPatch) -> Scored:
    rows = {"test": Rows(TEST, ()), "pool": Rows(HEARD, ())}
    monkeypatch.setattr("slubench.scoring.score.read_rows", lambda shards: rows[shards])
    answers = [
        SimpleNamespace(**vars(read_reply(key, "speech", reply, 3)) | {"seconds": SECONDS[key]})
        for key, reply in REPLIES.items()
    ]
    answers += [read_reply(u.key, "text", as_reply(u.meaning), 3) for u in TEST]  # type: ignore[misc]
    heard = {("en", "1/z"), ("en", "7/a")}  # key 7/a is French, so that cat was not heard
    return score_answers(
        cast(Any, answers), cast(Any, "test"), cast(Any, ["pool"]), Path("answers"), METRICS, heard
    )


def rows(
    scored: Scored, metric: str, **wanted: Any
) -> dict[tuple[str, str], tuple[float, int, int, int | None]]:
    """Value, replies, sentences and speakers by slice."""
    wanted = {"metric": metric, "input": "speech", "normalised": True} | wanted
    return {
        (row["slice_by"], row["slice"]): (row["value"], row["n"], row["clusters"], row["speakers"])
        for row in scored.rows
        if wanted.items() <= row.items()
    }


def test_every_slice_has_its_own_replies_sentences_and_speakers(scored: Scored) -> None:
    assert rows(scored, "intent_accuracy") == {
        ("all", "all"): (0.6, 5, 3, 3),
        ("mic", "near"): (2 / 3, 3, 2, 2),
        ("mic", "far"): (0.5, 2, 2, 1),
        ("language", "en"): (0.6, 5, 3, 3),
        ("intent", "alarm_set"): (0.6, 5, 3, 3),
        ("entities", "some"): (1.0, 2, 1, 2),
        ("entities", "none"): (1 / 3, 3, 2, 3),
        ("length", "under 2 s"): (1.0, 1, 1, 1),
        ("length", "2-3 s"): (1.0, 2, 2, 2),
        ("length", "6 s and longer"): (0.0, 2, 2, 2),
        ("sentence", "seen"): (1.0, 2, 1, 2),
        ("sentence", "unseen"): (1 / 3, 3, 2, 3),
        # Bob alone was heard: ann's clip was bought and not heard, cat's key is of another language.
        ("speaker", "seen"): (0.5, 2, 2, 1),
        ("speaker", "unseen"): (2 / 3, 3, 2, 2),
    }


def test_where_gold_does_not_know_a_replys_slots_the_slice_has_no_slu_f1(scored: Scored) -> None:
    told = rows(scored, "slu_f1")
    assert ("all", "all") not in told
    assert ("mic", "far") not in told
    assert told["mic", "near"][0] == told["sentence", "seen"][0] == 1.0


def test_of_sixty_intents_only_headline_metrics_are_told_and_of_others_all(scored: Scored) -> None:
    of = {by: {row["metric"] for row in scored.rows if row["slice_by"] == by} for by in ("intent", "mic")}
    headline = {one.name for one in METRICS if one.headline and not one.needs_slots}
    assert of["intent"] == headline
    assert of["mic"] > headline


def test_the_official_number_is_of_the_fillers_as_they_are_written(scored: Scored) -> None:
    assert rows(scored, "exact_match")["entities", "some"][0] == 1.0
    assert rows(scored, "exact_match", normalised=False)["entities", "some"][0] == 0.5
    assert rows(scored, "intent_accuracy", input="text")["all", "all"][0] == 1.0


def test_sums_are_by_sentence_and_speaker_official_ones_of_the_whole_alone(scored: Scored) -> None:
    kept = {
        (part.slice_by, part.slice): part.clusters
        for part in scored.parts
        if part.counting.name == "slurp" and part.normalised and part.input == "speech"
    }
    assert kept["all", "all"].names == (("1", "1", "2", "2", "3"), ("ann", "bob", "ann", "cat", "bob"))
    assert kept["all", "all"].sums[:, Count.INTENT_TP].tolist() == [1, 1, 1, 0, 0]
    assert kept["mic", "near"].names == (("1", "2", "2"), ("ann", "ann", "cat"))
    assert kept["mic", "near"].sums[:, Count.INTENT_TP].tolist() == [1, 1, 0]
    assert {part.slice_by for part in scored.parts if not part.normalised} == {"all"}


def test_replicates_are_kept_of_the_normalised_whole_with_what_they_rest_on(
    scored: Scored, tmp_path: Path
) -> None:
    write_parts(tmp_path, "s.parquet", "f", scored.parts, METRICS)
    table = {
        (row["input"], row["metric"]): row
        for row in pq.read_table(beside(tmp_path / "s.parquet", REPLICATES)).to_pylist()
    }
    whole = table["speech", "intent_accuracy"]
    assert (whole["clusters"], whole["speakers"]) == (3, 3)
    assert whole["value"] == 0.6
    assert 1 <= whole["effective"] < 3
    # Both sentences and speakers of 2, 2 and 1 replies, all of them right.
    assert table["text", "intent_accuracy"]["effective"] == pytest.approx(25 / 9, rel=1e-3)


def test_a_speaker_that_half_of_the_recordings_lack_is_not_known() -> None:
    assert speakers_of([("1", "a"), ("2", None)]) is None
    assert speakers_of([("1", "a"), ("2", "b"), ("3", None)]) == ["a", "b", "unknown:3"]


@pytest.mark.parametrize(("seconds", "name"), [(3.0, "3-4 s"), (4.0, "4-6 s"), (2.999, "2-3 s")])
def test_a_clip_of_a_whole_number_of_seconds_begins_its_bin(seconds: float, name: str) -> None:
    assert length_of(seconds) == name


class Clips:
    """Clips whose lengths are known."""

    def seconds(self, key: str) -> float:
        return SECONDS[key]


def test_questions_and_answers_go_with_their_own_input(tmp_path: Path) -> None:
    recordings = Recordings(cast(Any, Clips()), {u.clip: u.key for u in TEST if u.clip})
    inputs = ("speech", "text", "asr")
    own = {u.key: f"own {u.key}" for u in TEST}
    write_questions(tmp_path / "q.parquet", TEST, recordings, inputs, own)
    asked = pq.read_table(tmp_path / "q.parquet").to_pylist()
    parts = {(row["input"], row["utterance"]): from_rows(row["parts"]) for row in asked}
    assert len(parts) == 15
    for u in TEST:
        assert parts["speech", u.key] == ((u.key,),)
        assert parts["text", u.key] == (u.text,)
        assert parts["asr", u.key] == (f"own {u.key}",)
    told = as_reply(Meaning("alarm", "set"))[:-1] + ',"transcript":"told"}'
    replies = [read_reply(u.key, input_kind, told, 5) for u in TEST for input_kind in inputs]
    replies[0] = read_reply("1/a", "speech", RIGHT, 4)
    write_answers(tmp_path / "a.parquet", replies, TEST, recordings, inputs, own)
    found = {(one.input, one.utterance): one for one in read_answers(tmp_path / "a.parquet")}
    assert found["speech", "1/a"].meaning == Meaning("alarm", "set", (Entity("time", "noon"),))
    assert found["speech", "1/a"].transcript is None
    assert found["text", "1/a"].meaning == Meaning("alarm", "set")
    assert (found["speech", "1/b"].transcript, found["asr", "1/b"].transcript) == ("told", "own 1/b")
    assert found["text", "2/b"].seconds == 7.0


GOLD = GoldSet(
    "gold",
    {
        u.key: GoldItem(u.id, u.text, u.meaning, {"speaker": u.speaker or "", "mic": u.slices["mic"]})
        for u in TEST[:4]
    },
    {},
    ("file",),
)


def predicted(item: str, *entities: tuple[str, str]) -> ExternalPrediction:
    return ExternalPrediction(
        item, SlurpPrediction(Meaning("alarm", "set", tuple(Entity(*one) for one in entities)))
    )


def of_file() -> FileScores:
    said = [
        predicted("1/a", ("time", "midnight")),
        predicted("1/a", ("time", "NOON")),  # the last counts
        predicted("1/b", ("time", "noon")),
        ExternalPrediction("2/a", None),
        predicted("elsewhere"),
        predicted("elsewhere"),
    ]
    (found,) = score_file(said, GOLD, METRICS, ["mic"])
    return found


def test_a_files_doubled_missing_extra_and_unparsed_are_counted_apart() -> None:
    found = of_file()
    counts = found.items, found.missing, found.extra, found.doubled, found.unparsed
    assert counts == (4, 1, 1, 1, 1)


@pytest.mark.parametrize(
    ("variant", "whole", "near"),
    [
        (Variant(False, False), (1 / 3, 3), (0.0, 2)),
        (Variant(False, True), (1 / 4, 4), (0.0, 3)),
        (Variant(True, False), (2 / 3, 3), (1 / 2, 2)),
        (Variant(True, True), (2 / 4, 4), (1 / 3, 3)),
    ],
)
def test_lenient_and_strict_official_and_normalised_are_four_numbers(
    variant: Variant, whole: tuple[float, int], near: tuple[float, int]
) -> None:
    found = {
        row["slice"]: row
        for row in of_file().rows
        if row["metric"] == "exact_match" and (row["normalised"], row["strict"]) == variant
    }
    assert (found["all"]["value"], found["all"]["n"]) == pytest.approx(whole)
    assert (found["near"]["value"], found["near"]["n"]) == pytest.approx(near)
    assert found["all"]["clusters"] == 2  # sentences, not recordings
    kinds = of_file().labels[variant]["scenario"].micro
    assert kinds.fn == (2 if variant.strict else 1)  # the reply that does not parse, and the missing one
    spans = of_file().labels[variant]["span"].micro
    assert spans.tp == (2 if variant.normalised else 1)
