"""Asks adapters their tests: writes the questions, runs the answering process, keeps the answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slubench.data.clips import ClipStore
from slubench.data.recordings import Progress, decode_recordings, no_progress
from slubench.data.rows import read_rows
from slubench.data.source import SplitFiles
from slubench.domain.prompt import OWN_ASKED
from slubench.domain.run import Run
from slubench.errors import DataError
from slubench.registry.adapters import Adapter, stem
from slubench.runtime.digest import digest, sha256_of
from slubench.runtime.files import write_text
from slubench.runtime.home import Home
from slubench.runtime.jobs import AdapterRequests, PredictJob
from slubench.runtime.locks import all_locked
from slubench.runtime.private_folders import remove_abandoned
from slubench.runtime.process import run_module
from slubench.scoring.complete import incomplete
from slubench.scoring.predictions import (
    ASKED,
    Prediction,
    check_test,
    read_answers,
    read_replies,
    write_answers,
    write_questions,
)


@dataclass(frozen=True)
class PredictionRequest:
    """An adapter that is to be asked a test.

    Attributes:
        run: The run.
        adapter: What it trained.
        test: The shards of the test.
        fingerprint: The answers' fingerprint.
        transcripts: By utterance what the model without adapter heard, where that is asked and not the
            recordings and their gold transcripts.
    """

    run: Run
    adapter: Adapter
    test: SplitFiles
    fingerprint: str
    transcripts: Mapping[str, str] | None = None

    def folder(self, home: Home) -> Path:
        """Where questions, replies and answers lie."""
        return predictions_folder(home, self.adapter, self.test, self.fingerprint)

    @property
    def ways(self) -> tuple[str, ...]:
        """In which ways is asked."""
        return ASKED if self.transcripts is None else (OWN_ASKED,)

    @property
    def name(self) -> str:
        """For logs and bars."""
        return self.run.name if self.transcripts is None else f"{self.run.name}, its own transcripts"


@dataclass(frozen=True)
class Predictions:
    """The answers of one adapter to one test.

    Attributes:
        rows: One a question.
        report: What the answering process measured: engine, version, serving, probe, seconds.
        file: The Parquet file they lie in.
        fingerprint: The answers' fingerprint.
    """

    rows: Sequence[Prediction]
    report: dict[str, Any]
    file: Path
    fingerprint: str


def predictions_folder(home: Home, adapter: Adapter, test: SplitFiles, fingerprint: str) -> Path:
    """Where an adapter's questions, replies and answers lie."""
    training = home.runs / stem(adapter.name, adapter.fingerprint)
    return training / "answers" / stem(str(test).replace("/", "-"), fingerprint)


def kept_folder(home: Home, fingerprint: str) -> Path | None:
    """Where answers of that fingerprint are kept, if they are."""
    for folder in sorted(home.runs.glob(f"*/answers/*-{fingerprint[:8]}")):
        if (folder / "answers.parquet").exists():
            return folder
    return None


def predict(
    asked: Sequence[PredictionRequest],
    engine: str,
    serving: str,
    home: Home,
    say: Callable[[str], None],
    watch: Progress = no_progress,
    meanwhile: Callable[[], None] = lambda: None,
) -> list[Predictions]:
    """Turn adapters into answers; of each model all that is missing is asked in one engine.

    Args:
        asked: Whom to ask what.
        engine: `vllm` or `transformers`.
        serving: `auto`, `live` or `merged`.
        home: Where things live.
        say: Told each step in a line.
        watch: Opens a progress bar for the decoding.
        meanwhile: Called now and then while an engine works; predictions of some may be there already.

    Raises:
        DataError: A test row cannot be used.
        ProcessError: The answering process failed.
    """
    missing = _missing(asked, home, say)
    locks = [predictions_lock(home, one.fingerprint) for one in missing]
    with all_locked(locks, "predictions", say):
        missing = _missing(missing, home, say)  # another process may have made them meanwhile
        # Prompts tell models apart too: one may have been told the ontology.
        kinds = [(one.run.model.name, one.run.model.prompt) for one in missing]
        for kind in dict.fromkeys(kinds):
            alike = [one for one, its in zip(missing, kinds, strict=True) if its == kind]
            _predict_model(alike, engine, serving, home, say, watch, meanwhile)
    return [read_kept(one.folder(home), one.fingerprint) for one in asked]


def predictions_lock(home: Home, fingerprint: str) -> Path:
    """The lock of whoever makes predictions of that fingerprint."""
    return home.locks / f"predictions-{fingerprint[:16]}"


def _missing(
    asked: Sequence[PredictionRequest], home: Home, say: Callable[[str], None]
) -> list[PredictionRequest]:
    """Those whose predictions are not there, or are damaged; these are put aside to be made again."""
    missing = []
    for one in asked:
        file = one.folder(home) / "answers.parquet"
        if file.exists():
            try:
                kept = read_kept(file.parent, one.fingerprint)
                fault = incomplete(kept.rows, (u.key for u in read_rows(one.test).utterances), one.ways)
            except DataError as error:
                fault = str(error)
            if not fault:
                continue
            say(f"{one.name}: its kept predictions are damaged and are made again ({fault})")
            file.unlink()
        missing.append(one)
    return missing


def read_kept(folder: Path, fingerprint: str) -> Predictions:
    """The answers that are kept in a folder.

    Raises:
        DataError: They, or the report beside them, are damaged.
    """
    path, file = folder / "report.json", folder / "answers.parquet"
    try:
        report = json.loads(path.read_text("utf-8"))
        whole = all(isinstance(report[name], str) for name in ("engine", "version", "serving"))
        whole = whole and isinstance(report.get("seconds", 0.0), int | float)
    except (OSError, ValueError, TypeError, KeyError):
        whole = False
    if not whole:
        raise DataError(f"{path}: not an engine's report. Delete {file} and run the same command again.")
    digest = report.get("answers_sha256")  # reports of version 0.1 have none
    if digest is not None and file.is_file() and digest != sha256_of(file):
        raise DataError(f"{file} was changed since it was written. Delete it and run the same command again.")
    return Predictions(read_answers(file), report, file, fingerprint)


def _predict_model(
    asked: Sequence[PredictionRequest],
    engine: str,
    serving: str,
    home: Home,
    say: Callable[[str], None],
    watch: Progress,
    meanwhile: Callable[[], None],
) -> None:
    model = asked[0].run.model
    store = ClipStore(home.clips, model.sampling_rate, model.max_seconds)
    tests = {}
    for one in asked:
        if str(one.test) not in tests:
            rows = read_rows(one.test)
            place = str(one.test)
            recordings = decode_recordings(rows.utterances, one.test.corpus.audio, place, store, watch)
            check_test(rows, recordings)
            tests[place] = rows.utterances, recordings
        questions = one.folder(home) / "questions.parquet"
        write_questions(questions, *tests[str(one.test)], one.ways, one.transcripts)
    job_name = asked[0].fingerprint if len(asked) == 1 else digest([one.fingerprint for one in asked])
    working = asked[0].folder(home) if len(asked) == 1 else home.runs / f"answering-{job_name[:8]}"
    job = PredictJob(
        model=model,
        engine=engine,
        serving=serving,
        clips=str(store.folder),
        folder=str(working),
        askings=tuple(
            AdapterRequests(
                name=one.name,
                adapter=str(one.adapter.folder(home) or ""),
                questions=str(one.folder(home) / "questions.parquet"),
                replies=str(one.folder(home) / "replies.jsonl"),
            )
            for one in asked
        ),
        report=str(working / "engine.json"),
    )
    remove_abandoned(
        folder
        for place in ("*", "*/answers/*")
        for name in ("merged-*", ".merged-*.tmp")
        for folder in home.runs.glob(f"{place}/{name}")
    )
    job.save(working / "answer.json")
    say(f"asking {', '.join(one.name for one in asked)} with {engine}")
    (working / "engine.json").unlink(missing_ok=True)
    waiting = list(asked)

    def keep() -> None:
        """Keep the predictions of those that are answered already; the report names them."""
        told = read_engine_report(working / "engine.json")
        for one in [one for one in waiting if one.name in told]:
            folder = one.folder(home)
            replies = list(read_replies(folder / "replies.jsonl"))
            # Of one engine's report each adapter keeps what is common and what is its own.
            write_answers(
                folder / "answers.parquet", replies, *tests[str(one.test)], one.ways, one.transcripts
            )
            answers = {"answers_sha256": sha256_of(folder / "answers.parquet")}
            write_text(folder / "report.json", json.dumps(told[one.name] | answers, indent=1))
            waiting.remove(one)
            say(f"{one.name}: answered")

    def keep_and_go_on() -> None:
        keep()
        meanwhile()

    try:
        run_module("slubench.serve", working / "answer.json", keep_and_go_on)
    finally:
        keep()


def read_engine_report(path: Path) -> dict[str, dict[str, Any]]:
    """What an engine tells of each adapter that it has answered for so far, by name.

    Raises:
        DataError: The file is not such a report.
    """
    if not path.exists():
        return {}
    try:
        report = json.loads(path.read_text("utf-8"))
        return {one["name"]: {**report, **one} for one in report.pop("askings")}
    except (ValueError, TypeError, KeyError, AttributeError):
        raise DataError(f"{path} is not an engine's report. Delete it and run the command again.") from None
