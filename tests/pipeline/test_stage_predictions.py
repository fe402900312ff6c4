"""A run whose stage asks its model: what is trained before, what is asked once, and what is kept."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pyarrow.parquet as pq
import pytest

from slubench import SPEECH, TEXT, Example, Pool, Stage, Strategy
from slubench.data.editions import EDITIONS
from slubench.domain.budget import Budget
from slubench.domain.run import Run
from slubench.errors import DeclarationError, UsageError
from slubench.pipeline import train as pipeline_train
from slubench.pipeline.buy import buy_and_hold_out
from slubench.pipeline.context import Context
from slubench.pipeline.plan import Planned, plan
from slubench.pipeline.train import predictor_of, prepare, train
from slubench.registry.weights import choose_model, locate
from slubench.runtime.digest import Digests
from slubench.runtime.home import find_home
from slubench.runtime.jobs import TrainJob
from slubench.submission.retrain import retrain as retraining
from tests.pipeline.test_train_job import REGISTRY


class Started(Exception):
    """The last training process would start now."""


def asks(pool: Pool, rng: Random) -> Iterator[Example]:
    """Learn what the model replied to three recordings, and a transcript."""
    several = pool.unlabelled()[:3]
    for one, reply in zip(several, pool.predict(one.example() for one in several), strict=True):
        yield one.example(reply)
    yield Example.written(pool.text()[0])


MINE = Strategy(
    name="asks",
    track="open",
    unlabelled=True,
    stages=(
        Stage(learns_from=TEXT | SPEECH, share=0.01),
        Stage(learns_from=TEXT | SPEECH, share=0.01, compose=asks),
    ),
)


@pytest.fixture
def planned(home: Path) -> tuple[Planned, Context]:
    place = find_home(home)
    model, weights = locate(choose_model(EDITIONS["mini"].model, REGISTRY), Digests(place.digests))
    task, budget = REGISTRY.task("massive-de"), Budget.parse("98%")
    run = Run(task=task, strategy=MINE, budget=budget, model=model, weights=weights)
    context = Context(place, REGISTRY)
    return plan(run, context), context


def served(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The jobs of inference, each answered at once but for a reply that a killed process had not finished."""
    jobs: list[dict[str, Any]] = []

    def serve(module: str, job: Path) -> None:
        content = json.loads(job.read_text("utf-8"))
        jobs.append(content)
        (asking,) = content["askings"]
        rows = pq.read_table(asking["questions"]).to_pylist()
        with Path(asking["replies"]).open("a", encoding="utf-8") as file:
            for row in rows:
                reply = {"input": row["input"], "reply": "{}", "tokens": 1, "finish": "stop"}
                file.write(json.dumps({"utterance": row["utterance"], **reply}) + "\n")
            file.write('{"utterance": "to')

    monkeypatch.setattr(pipeline_train, "run_module", serve)
    return jobs


def test_the_stages_before_are_trained_the_model_asked_once_and_its_replies_kept(
    planned: tuple[Planned, Context], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, context = planned
    jobs, started = served(monkeypatch), list[TrainJob]()

    def start(module: str, job: Path) -> None:
        started.append(TrainJob.load(job))
        if not started[-1].pauses:
            raise Started
        Path(started[-1].adapter).mkdir()

    for _ in range(2):  # the second time after a kill
        with pytest.raises(Started):
            train(one, context, start)
    pause, whole, again = started
    assert [stage.updates for stage in pause.stages] == [whole.stages[0].updates, 0]
    assert (pause.asks, pause.pauses, whole.asks, whole.pauses) == (True, True, True, False)
    assert again == whole
    (asked,) = jobs
    assert (asked["engine"], asked["askings"][0]["adapter"]) == ("transformers", pause.adapter)
    rows = [row for row in pq.read_table(whole.examples).to_pylist() if row["stage"] == 1]
    assert {row["target"] for row in rows if row["utterance"].startswith("unlabelled:")} == {"{}"}
    ledger = json.loads((Path(whole.folder) / "ledger.json").read_text("utf-8"))
    assert (ledger["predicted"], ledger["predicted_unlabelled"]) == (3, 3)
    assert ledger["unlabelled_unique"] == 3
    # What is kept is enough to compose again, where nothing may be trained or asked.
    bought, watched = buy_and_hold_out(one, context)
    composed, _ = prepare(one.run, bought, watched, predictor_of(one, bought, context))
    assert [example.target for example in composed[1].examples] == [row["target"] for row in rows]


def test_replies_that_are_not_kept_are_told_where_nothing_can_be_asked(
    planned: tuple[Planned, Context],
) -> None:
    one, context = planned
    bought, watched = buy_and_hold_out(one, context)
    with pytest.raises(DeclarationError, match=r"Stage 2 of asks calls pool.predict; 3 of 3 replies are not"):
        prepare(one.run, bought, watched, predictor_of(one, bought, context))


def test_what_hears_beyond_the_budget_is_not_retrained(
    planned: tuple[Planned, Context], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    one, context = planned
    monkeypatch.setattr(retraining, "find_bubblewrap", lambda: "bwrap")
    with pytest.raises(UsageError, match="asks chooses its own clips or hears unlabelled ones"):
        retraining.retrain(one.run, "", context, tmp_path / "folder")
