"""Anyone's predictions, read from files and scored: what stands side by side, and what is refused."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from slubench.errors import DataError, SlubenchError, UsageError
from slubench.metrics import shipped
from slubench.scoring.external import read_predictions
from slubench.scoring.gold import GoldSet
from slubench.scoring.gold_files import gold_of_file
from slubench.scoring.score_file import VARIANTS, FileScores, Variant, score_file
from tests.command import slubench
from tests.massive_mirror import make_mirror, tone
from tests.metrics.test_slurp import GOLD, RIGHT, entity, said

OFFICIAL, STRICT, _, RANKED = VARIANTS


def write(path: Path, rows: Sequence[Any]) -> Path:
    path.write_text("".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows))
    return path


@pytest.fixture
def gold(tmp_path: Path) -> GoldSet:
    return gold_of_file(write(tmp_path / "gold.jsonl", GOLD))


def scored(tmp_path: Path, gold: GoldSet, rows: Sequence[Any], by: Sequence[str] = ()) -> FileScores:
    (report,) = score_file(
        read_predictions(write(tmp_path / "said.jsonl", rows), gold.keys), gold, shipped().values(), by
    )
    return report


def value(report: FileScores, metric: str, variant: Variant, slice_: str = "all") -> float:
    (row,) = (
        row
        for row in report.rows
        if (row["metric"], row["slice"], row["normalised"], row["strict"]) == (metric, slice_, *variant)
    )
    return float(row["value"])


def test_lenient_and_strict_stand_side_by_side(tmp_path: Path, gold: GoldSet) -> None:
    report = scored(tmp_path, gold, RIGHT[:1])
    assert (report.items, report.missing, report.extra, report.doubled, report.unparsed) == (3, 2, 0, 0, 0)
    assert value(report, "intent_accuracy", OFFICIAL) == 1
    assert value(report, "intent_accuracy", STRICT) == pytest.approx(1 / 3)
    assert value(report, "slu_f1", STRICT) == pytest.approx(2 / 3)


def test_official_and_normalised_are_never_mixed(tmp_path: Path, gold: GoldSet) -> None:
    rows = [said("a.flac", entity("time", "FIVE  AM")), *RIGHT[1:]]
    report = scored(tmp_path, gold, rows)
    assert value(report, "slu_f1", RANKED) == value(report, "exact_match", RANKED) == 1
    assert value(report, "entity_f1", OFFICIAL) == 0.5
    assert report.labels[OFFICIAL]["span"].micro[3:] == (1, 1, 1)
    assert report.labels[RANKED]["span"].micro[3:] == (2, 0, 0)


def test_what_the_file_has_too_many_is_counted(tmp_path: Path, gold: GoldSet) -> None:
    rows = [said("a.flac", intent="news query"), *RIGHT, said("z.flac"), said("z.flac")]
    report = scored(tmp_path, gold, rows)
    assert (report.extra, report.doubled) == (1, 1)
    assert value(report, "intent_accuracy", OFFICIAL) == 1


def test_a_reply_that_does_not_parse_is_wrong_even_in_the_official_number(
    tmp_path: Path, gold: GoldSet
) -> None:
    report = scored(tmp_path, gold, [*RIGHT[:2], {"file": "c.flac", "reply": "The news."}])
    assert report.unparsed == 1
    assert report.missing == 0
    assert value(report, "intent_accuracy", OFFICIAL) == pytest.approx(2 / 3)
    assert value(report, "parse_failures", OFFICIAL) == pytest.approx(1 / 3)


def test_slices_and_labels(tmp_path: Path, gold: GoldSet) -> None:
    rows = [RIGHT[0], said("b.flac", intent="news query"), RIGHT[2]]
    report = scored(tmp_path, gold, rows, by=["intent", "entities"])
    assert value(report, "intent_accuracy", RANKED, "alarm_set") == 0.5
    assert value(report, "intent_accuracy", RANKED, "news_query") == 1
    assert value(report, "intent_accuracy", RANKED, "none") == 1
    told = report.to_json(full=True)
    assert {row["label"] for row in told["labels"] if "label" in row and row["kind"] == "intent"} == {
        "alarm_set",
        "news_query",
    }
    assert "labels" not in report.to_json(full=False)
    json.dumps(told)
    with pytest.raises(UsageError, match="Did you mean intent"):
        scored(tmp_path, gold, RIGHT, by=["intents"])


def test_microphones_are_told_by_the_names_of_files(tmp_path: Path) -> None:
    row = {**GOLD[0], "recordings": [{"file": "a-headset.flac"}, {"file": "a.flac"}]}
    gold = gold_of_file(write(tmp_path / "gold.jsonl", [row]))
    assert [item.columns["headset"] for item in gold.items.values()] == ["yes", "no"]


def test_speakers_are_told_by_the_metadata_beside_the_gold(tmp_path: Path) -> None:
    """SLURP's `metadata.json`: records of sentences, with the speaker of each recording."""
    row = {
        **GOLD[0],
        "recordings": [{"file": name} for name in ("a-headset.flac", "a.flac", "b.flac", "c.flac")],
    }
    users = {"a-headset.flac": "FE-1", "a.flac": "MO-2", "b.flac": "UNKO-3"}
    told = {"key": {"recordings": {name: {"usrid": user} for name, user in users.items()}}}
    (tmp_path / "metadata.json").write_text(json.dumps(told))
    gold = gold_of_file(write(tmp_path / "gold.jsonl", [row]))
    speakers = {name: item.columns.get("speaker") for name, item in gold.items.items()}
    assert speakers == {**users, "c.flac": None}
    assert [item.columns.get("speaker_sex") for item in gold.items.values()] == ["Female", "Male", None, None]
    languages = [item.columns.get("speaker_first_language") for item in gold.items.values()]
    assert languages == ["English", "other", "other", None]
    rows = [said(name, entity("time", "five am")) for name in ("a-headset.flac", "b.flac")]
    rows.append(said("a.flac", intent="news query"))
    report = scored(tmp_path, gold, rows, by=["speaker", "headset"])
    assert value(report, "intent_accuracy", OFFICIAL, "FE-1") == 1
    assert value(report, "intent_accuracy", OFFICIAL, "MO-2") == 0
    assert value(report, "intent_accuracy", OFFICIAL, "no") == 0.5
    (tmp_path / "metadata.json").write_text('{"key": 3}')
    with pytest.raises(DataError, match=r"metadata\.json is not SLURP's .*remove it"):
        gold_of_file(tmp_path / "gold.jsonl")
    assert len(gold_of_file(tmp_path / "gold.jsonl", gold_transcripts=True).items) == 1  # nobody spoke


def test_a_gold_file_knows_no_lengths(tmp_path: Path, gold: GoldSet) -> None:
    with pytest.raises(
        UsageError, match=r"no column to slice by 'length'.*gold\.jsonl has: entities, headset, intent"
    ):
        scored(tmp_path, gold, RIGHT, by=["length"])


def test_a_tasks_test_is_sliced_by_length_and_speaker(tmp_path: Path) -> None:
    mirror = make_mirror(tmp_path / "mirror", audio=lambda number: tone(1.0 + (number % 4)))
    path = write(tmp_path / "said.jsonl", [said(10_000 + number, key="id") for number in range(8)])
    options = ("--task", "massive-de", "--edition", "full", "--corpora", mirror, "--by", "length,speaker")
    (report,) = json.loads(slubench("score", path, *options, "--json").stdout)["reports"]
    rows = [
        row
        for row in report["scores"]
        if row["metric"] == "intent_accuracy" and row["normalised"] and row["strict"]
    ]
    members = {(row["slice_by"], row["slice"]): row["n"] for row in rows}
    assert members == {
        ("all", "all"): 8,
        ("length", "under 2 s"): 2,
        ("length", "2-3 s"): 2,
        ("length", "3-4 s"): 2,
        ("length", "4-6 s"): 2,
        **{("speaker", str(number)): 2 for number in range(4)},
    }


def test_gold_transcripts_with_labels_and_transcripts(tmp_path: Path) -> None:
    gold = gold_of_file(write(tmp_path / "gold.jsonl", GOLD), gold_transcripts=True)
    labels = ["O", "O", "O", "B-time", "I-time"]
    rows = [
        {**said(1, key="slurp_id"), "entities": None, "labels": labels, "transcript": "wake me at five am"},
        {**said("2", intent="news query", key="slurp_id"), "labels": ["O"] * 4, "transcript": "what is news"},
    ]
    report = scored(tmp_path, gold, rows)
    assert value(report, "token_slot_f1", OFFICIAL) == value(report, "token_exact_match", OFFICIAL) == 1
    # The filler is read off the gold tokens as written: right once both sides are normalised.
    assert value(report, "slu_f1", RANKED) == 1
    assert value(report, "wer", OFFICIAL) == pytest.approx(3 / 9)  # Five, AM, and "the" left out
    assert value(report, "wer", RANKED) == pytest.approx(1 / 9)


def test_inputs_are_scored_apart(tmp_path: Path, gold: GoldSet) -> None:
    rows = [{**row, "input": name} for name in ("speech", "text") for row in RIGHT]
    rows[0]["scenario"] = "news"
    path = tmp_path / "answers.parquet"
    pq.write_table(pa.Table.from_pylist(rows), path)
    speech, text = score_file(read_predictions(path, gold.keys), gold, shipped().values())
    assert (speech.input, text.input) == ("speech", "text")
    assert value(speech, "intent_accuracy", RANKED) == pytest.approx(2 / 3)
    assert value(text, "intent_accuracy", RANKED) == 1


def test_massive_rows_are_gold(tmp_path: Path) -> None:
    row = {"id": "7", "partition": "test", "scenario": "alarm", "intent": "alarm_set"}
    rows = [
        {**row, "utt": "um fünf", "annot_utt": "um [time : fünf]"},
        {**row, "id": "8", "partition": "train", "utt": "nie", "annot_utt": "nie"},
    ]
    gold = gold_of_file(write(tmp_path / "de.jsonl", rows))
    assert list(gold.items) == ["7"]  # the test alone
    report = scored(tmp_path, gold, [said(7, entity("time", "fünf"), key="id")])
    assert value(report, "exact_match", RANKED) == 1


BAD = {
    "not JSON": ("{", "line 2: not JSON"),
    "a list": ([1], "found a list"),
    "no name": ({"scenario": "a", "action": "b", "entities": []}, '"file" or "utterance" or "id"'),
    "nothing said": ({"file": "a.flac"}, 'neither "reply" nor'),
    "half": ({"file": "a.flac", "scenario": "a"}, "line 2: it has no 'entities'"),
    "reply": ({"file": "a.flac", "reply": 3}, '"reply" must be a string'),
    "null": ({"file": "a.flac", "reply": None}, '"reply" is null'),
    "filler": (said("a.flac", {"type": "t", "filler": 3}), "must be strings"),
    "labels": ({**said("a.flac"), "labels": "O"}, '"labels" must be a list'),
    "transcript": ({**said("a.flac"), "transcript": 1}, '"transcript" must be a string'),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_line_is_named(name: str, tmp_path: Path, gold: GoldSet) -> None:
    row, message = BAD[name]
    with pytest.raises(DataError) as raised:
        scored(tmp_path, gold, [RIGHT[0], row])
    assert message in str(raised.value)
    assert "line 2" in str(raised.value)


def test_bad_files(tmp_path: Path, gold: GoldSet) -> None:
    (tmp_path / "latin.jsonl").write_bytes(b'{"file": "\xe9"}\n')
    whole = gzip.compress(json.dumps(RIGHT[0]).encode() * 500)
    (tmp_path / "torn.jsonl.gz").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "torn.parquet").write_bytes(b"PAR1")
    (tmp_path / "none.jsonl").write_text("\n")
    for name, message in {
        "latin.jsonl": "line 1: not UTF-8",
        "torn.jsonl.gz": "cannot be read completely",
        "torn.parquet": "not a complete Parquet file",
        "none.jsonl": "contains no predictions",
        "nowhere.jsonl": "There is no file",
    }.items():
        with pytest.raises(SlubenchError, match=message):
            read_predictions(tmp_path / name, gold.keys)
    with pytest.raises(DataError, match="another corpus"):
        scored(tmp_path, gold, [said("z.flac")])
    with pytest.raises(DataError, match="line 1 is not a row of SLURP"):
        gold_of_file(write(tmp_path / "gold.jsonl", RIGHT))
