"""The third way of asking, and scores made again: a model untrained, its own transcripts, kept answers."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from slubench.pipeline.transcribe import read_transcripts
from slubench.schemas import TRANSCRIPTS
from tests.command import headline, slubench
from tests.massive_mirror import make_mirror


@pytest.mark.slow
def test_own_transcripts_are_asked_kept_and_scored_again(tmp_path: Path, home: Path) -> None:
    mirror = make_mirror(tmp_path / "mirror", train=8, test=4)
    options = ("--edition", "full", "--corpora", mirror, "--model", "tiny", "--engine", "transformers")
    run = ("run", "--task", "massive-de", "--strategy", "zero-shot", *options, "--json")
    plain = headline(slubench(*run))
    assert {input_kind for input_kind, _ in plain} == {"speech", "text"}
    ran = slubench(*run, "--inputs", "speech,text,asr")
    rows = headline(ran)
    assert "transcribing speech-massive/de/test by tiny" in ran.stderr
    assert {input_kind for input_kind, _ in rows} == {"speech", "text", "asr"}
    assert rows["asr", "wer"]["n"] == 4
    assert rows["speech", "slu_f1"]["value"] == plain["speech", "slu_f1"]["value"]
    assert ("speech", "wer") not in rows
    # The scores of fewer ways have made place; the same command, and the plain one, find all of it.
    assert len(list((home / "leaderboard" / "scores").glob("*.parquet"))) == 1
    again = headline(slubench(*run))
    assert again["asr", "wer"]["cached"]
    requests = [pq.read_table(path) for path in (home / "runs").glob("*/answers/*/questions.parquet")]
    assert sorted(table.num_rows for table in requests) == [4, 8]
    (heard,) = (home / "runs").glob("transcripts--*/transcripts.parquet")
    words = {row["utterance"]: row["transcript"] for row in pq.read_table(heard).to_pylist()}
    (own,) = (table for table in requests if table.num_rows == 4)
    assert {row["utterance"]: row["parts"][0]["text"] for row in own.to_pylist()} == words


@pytest.mark.slow
def test_scores_of_an_older_scorer_are_made_again(tmp_path: Path, home: Path) -> None:
    mirror = make_mirror(tmp_path / "mirror", train=8, test=4)
    options = ("--edition", "full", "--corpora", mirror, "--model", "tiny", "--engine", "transformers")
    slubench("run", "--task", "massive-de", "--strategy", "zero-shot", *options)
    folder = home / "leaderboard" / "scores"
    (scores,) = folder.glob("*.parquet")
    whole = pq.read_table(scores)
    old = whole.set_column(
        whole.column_names.index("scorer_version"), "scorer_version", pa.array(["0"] * len(whole))
    ).drop_columns(["asr_fingerprint", "speakers"])
    scores.unlink()
    pq.write_table(old, folder / "older-00000000.parquet")
    (done,) = json.loads(slubench("rescore", "--corpora", mirror, "--json").stdout)
    assert done["before"] == "0"
    assert list(folder.glob("*.parquet")) == [Path(done["scores"])] == [scores]
    made = pq.read_table(scores)
    for name in ("input", "slice_by", "slice", "metric", "normalised", "value", "low", "high"):
        assert made.column(name).equals(whole.column(name)), name
    near = slubench("rescore", whole.column("run")[0].as_py() + "x", "--corpora", mirror, code=2)
    assert "Did you mean" in near.stderr
    answers = next((home / "runs").glob("*/answers/*/answers.parquet"))
    told = json.loads(slubench("score", answers, "--task", "massive-de", *options[:4], "--json").stdout)
    (speech,) = (
        row["value"]
        for row in told["reports"][0]["scores"]
        if row["metric"] == "slot_type_f1" and row["normalised"] and row["strict"]
    )
    (kept,) = (
        row["value"]
        for row in whole.to_pylist()
        if (row["input"], row["slice_by"], row["metric"], row["normalised"])
        == ("speech", "all", "slot_type_f1", True)
    )
    assert speech == kept
    answers.rename(answers.with_suffix(".gone"))
    assert "were not found" in slubench("rescore", "--corpora", mirror, code=1).stderr


@pytest.mark.parametrize("harm", ["", "missing", "doubled", "of another test", "empty", "cut", "null"])
def test_transcripts_that_are_not_whole_are_made_again(tmp_path: Path, harm: str) -> None:
    path = tmp_path / "transcripts.parquet"
    rows = [{"utterance": key, "transcript": key} for key in ("1", "2", "3")]
    if harm == "missing":
        rows = rows[:2]
    elif harm == "doubled":
        rows.append(rows[0])
    elif harm == "of another test":
        rows[0] = {"utterance": "9", "transcript": "9"}
    elif harm == "null":
        rows[0] = {"utterance": "1"}
    pq.write_table(pa.Table.from_pylist(rows, schema=TRANSCRIPTS), path)
    if harm in ("empty", "cut"):
        path.write_bytes(b"" if harm == "empty" else path.read_bytes()[:100])
    whole = {key: key for key in ("1", "2", "3")}
    assert read_transcripts(path, ["3", "1", "2"]) == (None if harm else whole)
