"""Evaluates an adapter that was trained elsewhere: predictions and scores of its own, which nothing ranks."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from slubench.data.rows import read_rows
from slubench.data.source import SplitFiles
from slubench.domain.metric import Metric
from slubench.domain.model import Model
from slubench.domain.task import Task
from slubench.errors import UsageError
from slubench.pipeline.context import Context
from slubench.pipeline.outside_adapter import OutsideAdapter, write_present
from slubench.registry.families import family_of
from slubench.registry.registry import Registry
from slubench.registry.weights import choose_model
from slubench.runtime.child_process import run_module
from slubench.runtime.digest import digest
from slubench.runtime.files import write_text
from slubench.runtime.jobs import AdapterRequests, PredictJob
from slubench.runtime.locks import locked
from slubench.scoring.external import read_predictions
from slubench.scoring.gold_tasks import gold_of_task
from slubench.scoring.predictions import read_replies, write_answers, write_questions
from slubench.scoring.score_file import FileScores, score_file

KIND: Final = "outside adapter"


@dataclass(frozen=True)
class Evaluation:
    """An adapter's scores on a test.

    Attributes:
        folder: Where predictions and scores are kept.
        place: The test, as messages name it.
        facts: What tells these scores from others.
        reports: The scores of each input.
    """

    folder: Path
    place: str
    facts: dict[str, Any]
    reports: list[FileScores]


def model_of(adapter: OutsideAdapter, name: str | None, registry: Registry) -> Model:
    """The model that is named, else the one that the adapter's config names.

    Raises:
        UsageError: Neither tells a model that is known.
    """
    if name is not None:
        return choose_model(name, registry)
    if not adapter.base:
        raise UsageError(
            f"{adapter.folder} does not tell the model that it was trained on (base_model_name_or_path)."
            " Name it with --model."
        )
    for model in registry.models.values():
        if model.repository == adapter.base:
            return model
    return choose_model(adapter.base, registry)


def evaluate(
    adapter: OutsideAdapter,
    task: Task,
    test: SplitFiles,
    located: tuple[Model, str],
    metrics: Sequence[Metric],
    context: Context,
) -> Evaluation:
    """Predict a task's test with an adapter, or find its predictions, and score them.

    Args:
        adapter: The adapter.
        task: The task.
        test: Its test.
        located: The model with its weights' folder, and the commit or digest of the weights.
        metrics: Those that count.
        context: Where and with what.

    Raises:
        DataError: The adapter does not fit the model, or a row of the test cannot be used.
        ProcessError: The serving process failed.
    """
    model, weights = located
    facts = {
        "kind": KIND,
        "adapter": adapter.folder.name,
        "sha256": adapter.sha256,
        "model": model.name,
        "weights": weights,
        "task": task.name,
        "test": str(test),
        "inputs": list(context.inputs),
        "engine": context.engine,
    }
    identity = {**facts, "prompt": dataclasses.asdict(model.prompt), "config": dict(adapter.config)}
    name = digest({**identity, "revision": test.revision})
    folder = context.home.evaluations / f"{adapter.folder.name}-{task.name}-{name[:8]}"
    answers = folder / "answers.parquet"
    with locked(context.home.locks / f"evaluation-{name[:16]}", "predictions", context.say):
        if answers.exists():
            context.say("its predictions exist and are scored again")
        else:
            _predict(adapter, test, model, folder, answers, context)
    gold = gold_of_task(test)
    reports = score_file(read_predictions(answers, gold.keys), gold, metrics)
    rows = [{**facts, **row} for report in reports for row in report.rows]
    write_text(folder / "scores.json", json.dumps(rows, indent=1, default=str))
    return Evaluation(folder, gold.place, facts, reports)


def _predict(
    adapter: OutsideAdapter, test: SplitFiles, model: Model, folder: Path, answers: Path, context: Context
) -> None:
    family = family_of(model.family, model.family_file)
    present = write_present(adapter, model, family, folder / "adapter")
    recordings = context.recordings(test, model)
    utterances = read_rows(test).utterances
    questions, replies = folder / "questions.parquet", folder / "replies.jsonl"
    write_questions(questions, utterances, recordings, context.inputs)
    asking = AdapterRequests(
        name=adapter.folder.name, adapter=str(present), questions=str(questions), replies=str(replies)
    )
    job = PredictJob(
        model=model,
        engine=context.engine,
        serving=context.serving,
        batch_size=context.batch_size,
        clips=str(context.home.clips),
        folder=str(folder),
        askings=(asking,),
        report=str(folder / "engine.json"),
    )
    job.save(folder / "answer.json")
    context.say(f"predicting {adapter.folder.name} with {context.engine}")
    run_module("slubench.serve", folder / "answer.json")
    write_answers(answers, list(read_replies(replies)), utterances, recordings, context.inputs)
