"""In one HOME a row is the run it says it is, keeps its own time, and is carried over from earlier files."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from slubench.board import read_scores
from slubench.board.read.replicates import read_replicates
from slubench.board.runs import runs_of
from slubench.pipeline.context import Context
from slubench.pipeline.outcomes import FailedRuns
from slubench.pipeline.rescore import read_identity, rescore_runs
from slubench.pipeline.run import perform
from slubench.registry import Registry
from slubench.runtime.child_process import ProcessError
from slubench.runtime.home import RECORDS, beside
from slubench.schemas import SCHEMA_VERSION
from tests.massive_mirror import make_mirror
from tests.old_files import age, scores_of_version_3
from tests.submission.made_bundles import a_context, a_run, pretend


@pytest.fixture
def context(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Context:
    """A home in which nothing is trained or predicted."""

    def never(*arguments: object) -> None:
        raise AssertionError(f"{arguments} was to be run")

    monkeypatch.setattr("slubench.pipeline.train.run_module", never)
    monkeypatch.setattr("slubench.pipeline.predict.run_module", never)
    return a_context(home, make_mirror(tmp_path / "mirror"))


def performed(context: Context, strategy: str, **changes: Any) -> tuple[Path, bool]:
    declared = context.registry.strategy(strategy)
    run = a_run(context, declared, "50%", 0, origin=context.registry.origin(declared))
    (outcome,) = perform([dataclasses.replace(run, **changes)], context)
    return outcome.scores, outcome.cached


def declare(home: Path, name: str, text: str) -> None:
    (home / "strategies").mkdir(parents=True, exist_ok=True)
    (home / "strategies" / f"{name}.py").write_text(text, "utf-8")


def test_two_strategies_that_learn_nothing_are_two_rows(context: Context) -> None:
    declare(context.home.root, "silent", "from slubench import Strategy\nS = Strategy(name='silent')\n")
    context = dataclasses.replace(context, registry=Registry(context.home.root))
    pretend(context, "zero-shot")
    one, other = performed(context, "zero-shot"), performed(context, "silent")
    assert (one[1], other[1]) == (True, False)
    assert performed(context, "zero-shot") == one
    assert performed(context, "silent") == (other[0], True)
    rows = [read_identity(path) for path in (one[0], other[0])]
    assert rows[0]["answers_fingerprint"] == rows[1]["answers_fingerprint"]
    for name in ("scores_fingerprint", "strategy", "strategy_digest", "strategy_fingerprint"):
        assert rows[0][name] != rows[1][name]


def test_a_copy_of_a_strategy_shares_the_adapter_and_no_row(context: Context) -> None:
    path = Path(context.registry.origin(context.registry.strategy("curriculum")))
    declare(context.home.root, "mine", path.read_text("utf-8").replace('"curriculum"', '"mine"'))
    context = dataclasses.replace(context, registry=Registry(context.home.root))
    pretend(context, "curriculum")
    one, other = performed(context, "curriculum"), performed(context, "mine")
    rows = [read_identity(path) for path in (one[0], other[0])]
    assert rows[0]["train_fingerprint"] == rows[1]["train_fingerprint"]
    assert rows[0]["scores_fingerprint"] != rows[1]["scores_fingerprint"]


def test_what_learns_nothing_is_one_row_whatever_the_seeds(context: Context) -> None:
    pretend(context, "zero-shot")
    one = performed(context, "zero-shot")
    assert performed(context, "zero-shot", data_seed=3, train_seed=3) == one
    assert list(context.home.scores.glob("*.parquet")) == [one[0]]


def test_scores_of_the_schema_before_are_carried_over_without_predictions(context: Context) -> None:
    before = pretend(context, "direct-mix")
    table, row = pq.read_table(before), read_identity(before)
    old = scores_of_version_3(before)
    shutil.rmtree(context.home.runs)
    scores, cached = performed(context, "direct-mix")
    assert cached
    assert not old.exists()
    assert scores == before
    assert pq.read_table(scores) == table
    assert read_identity(scores) == row
    reading = read_scores([scores])
    assert read_replicates(reading.files, reading.sources).find(row["scores_fingerprint"]) is not None
    assert performed(context, "direct-mix") == (scores, True)


@pytest.mark.parametrize("column", ["scores_fingerprint", "answers_fingerprint"])
def test_what_is_of_another_run_is_not_carried_over(context: Context, column: str) -> None:
    old = scores_of_version_3(pretend(context, "direct-mix"))
    table = pq.read_table(old)
    place = table.column_names.index(column)
    pq.write_table(table.set_column(place, column, pa.array(["0" * 64] * len(table))), old)
    assert not performed(context, "direct-mix")[1]


def test_rescoring_keeps_a_runs_own_time(context: Context) -> None:
    created = read_identity(pretend(context, "curriculum"))["created"]
    age(context.home)
    for _ in range(2):
        (done,) = rescore_runs([], context)
        row = read_identity(done.scores)
        assert (row["schema_version"], row["created"]) == (SCHEMA_VERSION, created)


def test_scoring_predictions_again_keeps_their_time(context: Context) -> None:
    created = read_identity(pretend(context, "curriculum"))["created"]
    age(context.home)
    scores, _ = performed(context, "curriculum")
    assert read_identity(scores)["created"] == created


def test_scores_that_are_damaged_are_made_again_with_their_time(context: Context) -> None:
    path = pretend(context, "curriculum")
    created = read_identity(path)["created"]
    beside(path, RECORDS).unlink()
    scores, cached = performed(context, "curriculum")
    assert (scores, cached) == (path, False)
    assert read_identity(scores)["created"] == created


def test_rescoring_keeps_the_strategy_that_was_run(context: Context) -> None:
    """Its file was edited since: neither the row nor its page may show the one of today."""
    text = "from slubench import TEXT, Stage, Strategy\nM = Strategy(name='mine', stages=(Stage({}),))\n"
    declare(context.home.root, "mine", text.format("learns_from=TEXT"))
    context = dataclasses.replace(context, registry=Registry(context.home.root))
    before = read_identity(pretend(context, "mine"))
    declare(context.home.root, "mine", text.format("learns_from=TEXT, rate=0.5"))
    (done,) = rescore_runs([], dataclasses.replace(context, registry=Registry(context.home.root)))
    row = read_identity(done.scores)
    assert row == before
    (record,) = pq.read_table(beside(done.scores, RECORDS)).to_pylist()
    assert "rate=0.5" not in record["strategy_source"]
    assert record["strategy_sha256"] == row["strategy_digest"]


def test_two_checkpoints_of_one_name_are_asked_in_engines_of_their_own(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of one name they are two models: neither is asked with the weights of the other."""
    pretend(context, "zero-shot")
    asked: list[dict[str, Any]] = []

    def ask(module: str, job: Path, *more: object) -> None:
        asked.append(json.loads(job.read_text("utf-8")))
        raise ProcessError("asked")

    monkeypatch.setattr("slubench.pipeline.predict.run_module", ask)
    run = a_run(context, context.registry.strategy("zero-shot"), "0", 0)
    others = [
        dataclasses.replace(
            run, weights=weights, model=dataclasses.replace(run.model, repository=f"/somewhere/{weights}")
        )
        for weights in ("1" * 64, "2" * 64)
    ]
    with pytest.raises(FailedRuns):
        perform(others, context)
    found = [(job["model"]["repository"], len(job["askings"])) for job in asked]
    assert found == [(f"/somewhere/{weights}", 1) for weights in ("1" * 64, "2" * 64)]


def test_a_renamed_score_file_counts_as_it_did(context: Context) -> None:
    path = pretend(context, "curriculum")
    before = runs_of(read_scores([path]).table)
    for kind in ("sums", "replicates", "records"):
        shutil.move(path.parent / kind / path.name, path.parent / kind / "a.parquet")
    renamed = path.rename(path.with_name("a.parquet"))
    assert runs_of(read_scores([renamed]).table) == before
    scores, _ = performed(context, "curriculum")
    assert list(context.home.scores.glob("*.parquet")) == [scores, renamed]
    assert len(runs_of(read_scores([scores, renamed]).table)) == 1
