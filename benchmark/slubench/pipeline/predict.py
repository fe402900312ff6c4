"""Predicts with trained adapters: writes requests, runs the serving process, stores predictions."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slubench.data.rows import read_rows
from slubench.domain.prompt import ASR_INPUT
from slubench.errors import DataError, SlubenchError
from slubench.pipeline.context import Context
from slubench.pipeline.kept_predictions import Predictions, are_kept, read_kept
from slubench.pipeline.plan import Planned, kept_place, predictions_folder
from slubench.pipeline.transcribe import transcribe
from slubench.registry.adapters import Adapter
from slubench.runtime.child_process import run_module
from slubench.runtime.digest import digest, sha256_of
from slubench.runtime.files import write_text
from slubench.runtime.home import Home
from slubench.runtime.jobs import AdapterRequests, PredictJob
from slubench.runtime.locks import all_locked
from slubench.runtime.private_folders import remove_abandoned_merges
from slubench.scoring.complete import incomplete
from slubench.scoring.predictions import (
    INPUTS,
    read_replies,
    write_answers,
    write_questions,
)


@dataclass(frozen=True)
class PredictionRequest:
    """A test set to predict with an adapter.

    Attributes:
        planned: The run.
        adapter: Its adapter.
        transcripts: The base model's transcripts by utterance, to predict from those; None to predict from
            the recordings and their gold transcripts.
    """

    planned: Planned
    adapter: Adapter
    transcripts: Mapping[str, str] | None = None

    @property
    def fingerprint(self) -> str:
        """Fingerprint of the predictions."""
        own = self.planned.owned if self.transcripts is not None else None
        return own or self.planned.answered

    def folder(self, home: Home) -> Path:
        """The folder of requests, replies and predictions."""
        return predictions_folder(home, self.adapter, self.planned.test, self.fingerprint)

    @property
    def inputs(self) -> tuple[str, ...]:
        """The inputs."""
        return INPUTS if self.transcripts is None else (ASR_INPUT,)

    @property
    def name(self) -> str:
        """The name in logs and progress bars."""
        name = self.planned.run.name
        return name if self.transcripts is None else f"{name}, ASR transcripts"


def _raise(planned: Planned, error: SlubenchError) -> None:
    raise error


def predict(
    planned: Sequence[Planned],
    context: Context,
    meanwhile: Callable[[], None] = lambda: None,
    failed: Callable[[Planned, SlubenchError], None] = _raise,
) -> None:
    """Predict the test sets of trained runs, with one engine for all runs of a model.

    Args:
        planned: The runs, each trained.
        context: Where and with what.
        meanwhile: Called now and then while an engine works; predictions of some may exist already.
        failed: Takes a run that fails, and why; the others go on. Without it the error is raised.

    Raises:
        MissingError: A run is not trained.
        DataError: A test row cannot be used.
        ProcessError: The serving process failed.
    """
    requests: dict[str, PredictionRequest] = {}
    for one in planned:
        try:
            # Tasks may share an adapter and its test: each fingerprint is predicted once.
            requests |= {request.fingerprint: request for request in _requests_of(one, context)}
        except SlubenchError as error:
            failed(one, error)
    missing = _missing(requests.values(), context, failed)
    locks = [context.home.locks / f"predictions-{one.fingerprint[:16]}" for one in missing]
    with all_locked(locks, "predictions", context.say):
        missing = _missing(missing, context, failed)  # another process may have made them meanwhile
        kinds = [one.planned.run.loads for one in missing]
        for kind in dict.fromkeys(kinds):
            _predict_group(
                [one for one, its in zip(missing, kinds, strict=True) if its == kind],
                context,
                meanwhile,
                failed,
            )


def are_predicted(planned: Planned, context: Context) -> bool:
    """Whether the predictions of a run exist for every wanted input."""
    # Asked each second while an engine works: the weights' digests are left alone.
    folders = [
        kept_place(context.home, planned.trained, planned.test, one)
        for one in (planned.answered, planned.owned)
        if one is not None
    ]
    return all(folder is not None and are_kept(folder) for folder in folders)


def read_predictions(planned: Planned, context: Context) -> list[Predictions]:
    """The predictions of a run: from speech and text, then from ASR transcripts if there are any."""
    return [
        read_kept(predictions_folder(context.home, planned.adapter(context.home), planned.test, one), one)
        for one in (planned.answered, planned.owned)
        if one is not None
    ]


def _missing(
    requests: Iterable[PredictionRequest], context: Context, failed: Callable[[Planned, SlubenchError], None]
) -> list[PredictionRequest]:
    """The runs whose predictions are missing or damaged; damaged ones are removed."""
    missing = []
    for one in requests:
        file = one.folder(context.home) / "answers.parquet"
        if file.exists():
            try:
                keys = [utterance.key for utterance in read_rows(one.planned.test).utterances]
            except SlubenchError as error:
                failed(one.planned, error)
                continue
            try:
                kept = read_kept(file.parent, one.fingerprint)
                fault = incomplete(kept.rows, keys, one.inputs)
            except DataError as error:
                fault = str(error)
            if not fault:
                continue
            context.say(f"{one.name}: its predictions are damaged and are made again ({fault})")
            file.unlink()
        missing.append(one)
    return missing


def _requests_of(planned: Planned, context: Context) -> list[PredictionRequest]:
    adapter = planned.adapter(context.home)
    requests = [PredictionRequest(planned, adapter)]
    if planned.owned is not None:
        requests.append(PredictionRequest(planned, adapter, transcribe(planned, context)))
    return requests


def _predict_group(
    requests: Sequence[PredictionRequest],
    context: Context,
    meanwhile: Callable[[], None],
    failed: Callable[[Planned, SlubenchError], None],
) -> None:
    """Predict with one engine; if it fails, each remaining request gets its own engine."""
    written: list[PredictionRequest] = []
    for one in requests:
        try:
            _write(one, context)
            written.append(one)
        except SlubenchError as error:
            failed(one.planned, error)
    if not written:
        return
    try:
        _predict_model(written, context, meanwhile)
        return
    except SlubenchError as error:
        if len(written) == 1:
            failed(written[0].planned, error)
            return
    left = [one for one in written if not are_kept(one.folder(context.home))]
    context.say(f"the engine failed; {len(left)} of {len(written)} adapters are now predicted one by one")
    reason = ""
    for number, one in enumerate(left):
        try:
            _predict_model([one], context, meanwhile)
            reason = ""
        except SlubenchError as error:
            if str(error) == reason:  # the same twice: it is not the adapters that are at fault
                for other in left[number:]:
                    failed(other.planned, error)
                return
            failed(one.planned, error)
            reason = str(error)


def _predict_model(
    requests: Sequence[PredictionRequest], context: Context, meanwhile: Callable[[], None]
) -> None:
    model, home = requests[0].planned.run.model, context.home
    alone = len(requests) == 1
    name = requests[0].fingerprint if alone else digest([one.fingerprint for one in requests])
    working = requests[0].folder(home) if alone else home.runs / f"answering-{name[:8]}"
    job = PredictJob(
        model=model,
        engine=context.engine,
        serving=context.serving,
        batch_size=context.batch_size,
        clips=str(home.clips),
        folder=str(working),
        askings=tuple(
            AdapterRequests(
                name=one.name,
                adapter=str(one.adapter.folder(home) or ""),
                questions=str(one.folder(home) / "questions.parquet"),
                replies=str(one.folder(home) / "replies.jsonl"),
            )
            for one in requests
        ),
        report=str(working / "engine.json"),
        gpus=context.gpus,
    )
    remove_abandoned_merges(
        [*home.runs.glob("*"), *home.runs.glob("*/answers/*"), *home.evaluations.glob("*")]
    )
    job.save(working / "answer.json")
    context.say(f"predicting {', '.join(one.name for one in requests)} with {context.engine}")
    (working / "engine.json").unlink(missing_ok=True)
    waiting = list(requests)

    def keep_finished() -> None:
        reports = _read_engine_report(working / "engine.json")
        for one in [one for one in waiting if one.name in reports]:
            _keep(one, reports[one.name], context)
            waiting.remove(one)

    def keep_and_go_on() -> None:
        keep_finished()
        meanwhile()

    try:
        run_module("slubench.serve", working / "answer.json", keep_and_go_on)
    finally:
        keep_finished()


def _read_engine_report(path: Path) -> dict[str, dict[str, Any]]:
    """An engine's reports of the finished adapters, by name.

    Raises:
        DataError: The file is not such a report.
    """
    if not path.exists():
        return {}
    try:
        report = json.loads(path.read_text("utf-8"))
        # Of one engine's report each adapter keeps what is common and what is its own.
        return {one["name"]: {**report, **one} for one in report.pop("askings")}
    except (ValueError, TypeError, KeyError, AttributeError):
        raise DataError(f"{path} is not an engine's report. Delete it and run the command again.") from None


def _write(request: PredictionRequest, context: Context) -> None:
    test = request.planned.test
    recordings = context.recordings(test, request.planned.run.model)
    questions = request.folder(context.home) / "questions.parquet"
    write_questions(questions, read_rows(test).utterances, recordings, request.inputs, request.transcripts)


def _keep(request: PredictionRequest, report: Mapping[str, Any], context: Context) -> None:
    test, folder = request.planned.test, request.folder(context.home)
    recordings = context.recordings(test, request.planned.run.model)
    replies = list(read_replies(folder / "replies.jsonl"))
    answers = folder / "answers.parquet"
    utterances = read_rows(test).utterances
    write_answers(answers, replies, utterances, recordings, request.inputs, request.transcripts)
    write_text(folder / "report.json", json.dumps({**report, "answers_sha256": sha256_of(answers)}, indent=1))
