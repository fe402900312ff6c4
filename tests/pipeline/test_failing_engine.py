"""An engine that fails takes the runs at fault with it, and not those that shared it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from slubench.domain.budget import Budget
from slubench.domain.run import Run
from slubench.errors import SlubenchError
from slubench.pipeline import predict
from slubench.pipeline.context import Context, open_context
from slubench.pipeline.outcomes import FailedRuns
from slubench.pipeline.plan import plan
from slubench.pipeline.run import perform
from slubench.runtime.child_process import ProcessError
from slubench.runtime.jobs import PredictJob
from slubench.scoring.predictions import write_questions
from tests.massive_mirror import make_mirror

LANGUAGES = {"de": "de-DE", "fr": "fr-FR", "nl": "nl-NL"}


class Engine:
    """Stands for the serving process: replies in order, up to a request at which it fails.

    Attributes:
        reason: Why it fails at a request, by the request's name; None where it does not.
        starts: How many adapters each start was given.
    """

    def __init__(self, reason: Callable[[str], str | None]) -> None:
        self.reason = reason
        self.starts: list[int] = []

    def __call__(self, module: str, path: Path, meanwhile: Callable[[], None]) -> None:
        job = PredictJob.load(path)
        self.starts.append(len(job.askings))
        done: list[dict[str, object]] = []
        for one in job.askings:
            if (reason := self.reason(one.name)) is not None:
                raise ProcessError(reason)
            with Path(one.replies).open("w", encoding="utf-8") as file:
                for row in pq.read_table(one.questions, columns=["utterance", "input"]).to_pylist():
                    file.write(json.dumps({**row, "reply": "{}", "tokens": 1, "finish": "stop"}) + "\n")
            done.append({"name": one.name})
            report = {"engine": job.engine, "version": "5", "serving": "native", "askings": done}
            Path(job.report).write_text(json.dumps(report), "utf-8")
            meanwhile()


@pytest.fixture
def context(home: Path, tmp_path: Path) -> Context:
    for locale in LANGUAGES.values():
        make_mirror(tmp_path / "mirror", train=8, test=4, locale=locale)
    return open_context(home=home, corpora=tmp_path / "mirror", engine="transformers", say=lambda line: None)


def zero_shot(context: Context) -> list[Run]:
    model, weights = context.locate(context.registry.model("tiny"))
    return [
        Run(
            task=context.registry.task(f"massive-{language}"),
            strategy=context.registry.strategy("zero-shot"),
            budget=Budget.parse("0"),
            model=model,
            weights=weights,
            edition="full",
        )
        for language in LANGUAGES
    ]


def test_a_run_that_is_not_trained_is_not_predicted_either(context: Context) -> None:
    assert not predict.are_predicted(plan(zero_shot(context)[0], context), context)


def test_what_killed_processes_left_is_removed_before_an_engine_starts(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = [place / "x" / "merged-old" for place in (context.home.runs, context.home.evaluations)]
    for folder in left:
        folder.mkdir(parents=True)
    monkeypatch.setattr(predict, "run_module", Engine(lambda name: None))
    perform(zero_shot(context)[:1], context)
    assert not any(folder.exists() for folder in left)


def failed(context: Context, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> FailedRuns:
    monkeypatch.setattr(predict, "run_module", engine)
    with pytest.raises(FailedRuns) as caught:
        perform(zero_shot(context), context)
    return caught.value


@pytest.mark.parametrize("language", LANGUAGES)
def test_one_bad_adapter_fails_its_run_alone(
    context: Context, monkeypatch: pytest.MonkeyPatch, language: str
) -> None:
    engine = Engine(lambda name: "its weights do not fit" if f"-{language}--" in name else None)
    error = failed(context, engine, monkeypatch)
    scored = {outcome.run.task.name for outcome in error.outcomes}
    assert scored == {f"massive-{other}" for other in LANGUAGES} - {f"massive-{language}"}
    assert "1 of 3 runs failed" in str(error)
    assert "its weights do not fit" in str(error)


def test_an_engine_that_never_starts_is_tried_three_times_not_once_a_run(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = Engine(lambda name: "no GPU")
    assert "3 of 3 runs failed" in str(failed(context, engine, monkeypatch))
    assert engine.starts == [3, 1, 1]


def test_different_faults_of_two_adapters_leave_the_third(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = Engine(lambda name: None if "-nl--" in name else f"{name} is damaged")
    error = failed(context, engine, monkeypatch)
    assert [outcome.run.task.name for outcome in error.outcomes] == ["massive-nl"]


def test_a_corpus_that_cannot_be_read_fails_its_own_runs(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[Path] = []

    def refuse_the_second(path: Path, *rest: Any) -> None:
        calls.append(path)
        if len(calls) == 2:
            raise SlubenchError("a test row is unusable")
        write_questions(path, *rest)

    monkeypatch.setattr(predict, "write_questions", refuse_the_second)
    error = failed(context, Engine(lambda name: None), monkeypatch)
    assert [outcome.run.task.name for outcome in error.outcomes] == ["massive-de", "massive-nl"]
    assert "a test row is unusable" in str(error)


def test_the_same_command_finishes_what_failed(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    failed(context, Engine(lambda name: "it ended" if "-fr--" in name else None), monkeypatch)
    engine = Engine(lambda name: None)
    monkeypatch.setattr(predict, "run_module", engine)
    outcomes = perform(zero_shot(context), context)
    assert [outcome.cached for outcome in outcomes] == [True, False, True]
    assert engine.starts == [1]
