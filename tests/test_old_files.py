"""What earlier versions wrote is read, scored again from kept predictions, and never trained again."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from slubench.board.analysis.compare_runs import RunPair, compare
from slubench.board.read.records import read_records
from slubench.board.read.replicates import read_replicates
from slubench.board.read.scores import read_file, read_scores
from slubench.board.read.sums import SumsBeside
from slubench.board.runs import runs_of
from slubench.domain.ledger import Ledger
from slubench.errors import DataError
from slubench.metrics import shipped
from slubench.pipeline.context import Context
from slubench.pipeline.rescore import read_identity, rescore_runs
from slubench.pipeline.run import perform
from slubench.registry.adapters import Adapter, find_adapter
from slubench.runtime.home import Home
from slubench.schemas import SCHEMA_VERSION
from slubench.scoring.predictions import read_replies
from slubench.serve.replies import load
from slubench.submission.bundle.pack import submit
from slubench.submission.verify.verify import verify
from tests.command import ROOT
from tests.massive_mirror import make_mirror
from tests.old_files import age, old_card, old_columns, old_score_table
from tests.submission.made_bundles import a_context, a_run, pretend, sign

PUBLISHED = sorted((ROOT / "leaderboard" / "published").glob("*.parquet"))
KEYS = ("input", "slice_by", "slice", "metric", "normalised")


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    return make_mirror(tmp_path / "mirror")


@pytest.fixture
def context(home: Path, mirror: Path) -> Context:
    return a_context(home, mirror)


def values(path: Path) -> dict[tuple[Any, ...], float]:
    return {tuple(row[key] for key in KEYS): row["value"] for row in read_file(path).to_pylist()}


def test_published_scores_are_read_whole() -> None:
    reading = read_scores(PUBLISHED)
    assert (len(reading.files), reading.refused) == (len(PUBLISHED), ())
    table = reading.table
    assert set(table.column("input").to_pylist()) == {"speech", "text"}
    assert set(table.column("selection").to_pylist()) == {"last"}
    assert pc.sum(table.column("clip_exposures")).as_py() > 0
    runs = runs_of(table)
    assert {run.speech for run in runs} >= {"0", "5%", "100%"}
    (record,) = read_records(PUBLISHED[:1]).of(
        [runs_of(read_file(PUBLISHED[0]))[0].row["scores_fingerprint"]]
    )
    assert record is not None
    assert {sample["input"] for sample in record["samples"]} == {"speech", "text"}
    assert read_replicates(PUBLISHED[:1]).metrics == ["slu_f1", "intent_accuracy", "exact_match"]


def test_a_run_with_old_scores_is_scored_again_from_kept_predictions(
    context: Context, mirror: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = values(pretend(context, "direct-mix"))
    (old,) = age(context.home)
    assert pq.read_table(old).column("asked").to_pylist()[0] == "speech"
    assert values(old) == new

    def never(*arguments: object) -> None:
        raise AssertionError(f"{arguments} was to be run")

    monkeypatch.setattr("slubench.pipeline.train.run_module", never)
    monkeypatch.setattr("slubench.pipeline.predict.run_module", never)
    strategy = context.registry.strategy("direct-mix")
    run = a_run(context, strategy, "50%", 0, origin=context.registry.origin(strategy))
    said: list[str] = []
    (outcome,) = perform([run], replace(context, say=said.append))
    assert any("already trained" in line for line in said)
    assert not outcome.cached
    assert list(context.home.scores.glob("*.parquet")) == [outcome.scores]
    assert values(outcome.scores) == new
    assert set(pq.read_table(outcome.scores).column("schema_version").to_pylist()) == {SCHEMA_VERSION}
    (again,) = perform([run], context)
    assert again.cached


def test_old_scores_are_rescored(context: Context, mirror: Path) -> None:
    new = values(pretend(context, "curriculum"))
    (old,) = age(context.home)
    row = read_identity(old)
    assert (row["schema_version"], row["selection"], row["asr_fingerprint"]) == (2, "last", None)
    (done,) = rescore_runs([], context)
    assert not old.exists()
    made = pq.read_table(done.scores)
    assert set(made.column("schema_version").to_pylist()) == {SCHEMA_VERSION}
    assert values(done.scores) == new


def test_old_and_new_runs_are_compared(context: Context) -> None:
    pretend(context, "curriculum", wrong=0.1)
    (old,) = age(context.home)
    new = pretend(context, "direct-mix", wrong=0.6)
    first, second = runs_of(read_file(old))[0], runs_of(read_file(new))[0]
    sums = SumsBeside(read_scores([old, new]).sources)
    metrics = shipped()
    pair = RunPair([first], [second], ("a", "b"), False)
    (one,) = compare(
        [pair], sums, metrics["slu_f1"], input_kind="speech", by="all", others=list(metrics.values())
    )
    assert one.difference.value > 0
    told = {other.metric for other in one.others}
    assert {"intent_accuracy", "exact_match"} <= told
    assert "slot_type_f1" not in told  # of which the older has no sums
    assert compare([pair], sums, metrics["slot_type_f1"], input_kind="speech", by="all") == []


def test_own_transcripts_of_old_files_are_asr(tmp_path: Path, context: Context) -> None:
    table = pq.read_table(pretend(context, "zero-shot"))
    place = table.column_names.index("input")
    table = table.set_column(place, "input", pa.array(["asr"] * len(table)))
    pq.write_table(old_score_table(table), tmp_path / "old.parquet")
    assert "own-transcript" in pq.read_table(tmp_path / "old.parquet").column("asked").to_pylist()
    assert set(read_file(tmp_path / "old.parquet").column("input").to_pylist()) == {"asr"}


def test_scores_of_a_newer_schema_are_refused(context: Context, tmp_path: Path) -> None:
    path = pretend(context, "zero-shot")
    table = pq.read_table(path)
    place = table.column_names.index("schema_version")
    newer = pa.array([SCHEMA_VERSION + 1] * len(table), pa.int16())
    table = table.set_column(place, "schema_version", newer).append_column("more", pa.nulls(len(table)))
    pq.write_table(table, path)
    sentence = (
        f"schema version {SCHEMA_VERSION + 1}, and this version of slubench reads up to {SCHEMA_VERSION}"
    )
    (refused,) = read_scores([path]).refused
    assert sentence in str(refused)
    assert "Update slubench" in str(refused)
    with pytest.raises(DataError, match=sentence):
        read_identity(path)


def test_old_cards_are_read_and_newer_ones_refused(context: Context) -> None:
    pretend(context, "direct-mix")
    (path,) = context.home.adapters.glob("*.json")
    card = Adapter.load(path)
    path.write_text(json.dumps(old_card(json.loads(path.read_text("utf-8")))), "utf-8")
    assert '"clips_heard"' in path.read_text("utf-8")
    assert Adapter.load(path) == card == find_adapter(context.home, card.fingerprint)
    assert card.ledger.clip_exposures["de"] > 0
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | {"version": 99}), "utf-8")
    with pytest.raises(DataError, match="a card of version 99"):
        Adapter.load(path)


def test_published_cards_are_read() -> None:
    cards = [Adapter.load(path) for path in (ROOT / "adapters_registry" / "published").glob("*.json")]
    assert cards
    assert any(card.ledger.clip_exposures for card in cards)
    assert all(card.ledger == Ledger.from_json(card.ledger.to_json()) for card in cards)


def test_replies_of_an_unfinished_run_are_read(tmp_path: Path) -> None:
    rows = [
        {"utterance": "1", "asked": "own-transcript", "reply": "{}", "tokens": 2, "finish": "stop"},
        {"utterance": "1", "input": "text", "reply": "{}", "tokens": 2, "finish": "stop"},
    ]
    path = tmp_path / "replies.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    assert [reply.key for reply in load(path)] == [("1", "asr"), ("1", "text")]
    assert [reply.input for reply in read_replies(path)] == ["asr", "text"]


def old_bundle(folder: Path, change: Callable[[pa.Table], pa.Table] = lambda table: table) -> None:
    """A bundle as version 2 of the schema wrote it."""
    (run,) = (folder / "runs").iterdir()
    pq.write_table(change(old_score_table(pq.read_table(run / "scores.parquet"))), run / "scores.parquet")
    pq.write_table(old_columns(pq.read_table(run / "replies.parquet")), run / "replies.parquet")
    card = old_card(json.loads((run / "card.json").read_text("utf-8")))
    (run / "card.json").write_text(json.dumps(card), "utf-8")
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    (folder / "manifest.json").write_text(json.dumps(manifest | {"schema_version": 2}), "utf-8")
    sign(folder)


def test_an_old_bundle_is_verified(context: Context, tmp_path: Path) -> None:
    pretend(context, "direct-mix")
    submit(["massive-de/direct-mix"], tmp_path / "bundle", context)
    old_bundle(tmp_path / "bundle")
    verification = verify(tmp_path / "bundle", context, Home(tmp_path / "scratch"))
    assert verification.findings.told() == []
    assert verification.tier == "rescored"


def test_an_old_bundle_with_other_numbers_is_not(context: Context, tmp_path: Path) -> None:
    pretend(context, "direct-mix")
    submit(["massive-de/direct-mix"], tmp_path / "bundle", context)

    def better(table: pa.Table) -> pa.Table:
        place = table.column_names.index("value")
        return table.set_column(place, "value", pa.array([1.0] * len(table)))

    old_bundle(tmp_path / "bundle", better)
    verification = verify(tmp_path / "bundle", context, Home(tmp_path / "scratch"))
    assert any("the predictions give" in line for line in verification.findings.told())
