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
from slubench.registry.adapters import Adapter, stem
from slubench.runtime.digest import digest
from slubench.runtime.files import write_text
from slubench.runtime.home import Home
from slubench.runtime.jobs import AdapterRequests, PredictJob
from slubench.runtime.locks import all_locked
from slubench.runtime.private_folders import remove_abandoned
from slubench.runtime.process import run_module
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
) -> list[Predictions]:
    """Turn adapters into answers; of each model all that is missing is asked in one engine.

    Args:
        asked: Whom to ask what.
        engine: `vllm` or `transformers`.
        serving: `auto`, `live` or `merged`.
        home: Where things live.
        say: Told each step in a line.
        watch: Opens a progress bar for the decoding.

    Raises:
        DataError: A test row cannot be used.
        ProcessError: The answering process failed.
    """
    missing = _missing(asked, home)
    locks = [predictions_lock(home, one.fingerprint) for one in missing]
    with all_locked(locks, "predictions", say):
        missing = _missing(missing, home)  # another process may have made them meanwhile
        # Prompts tell models apart too: one may have been told the ontology.
        kinds = [(one.run.model.name, one.run.model.prompt) for one in missing]
        for kind in dict.fromkeys(kinds):
            alike = [one for one, its in zip(missing, kinds, strict=True) if its == kind]
            _predict_model(alike, engine, serving, home, say, watch)
    return [read_kept(one.folder(home), one.fingerprint) for one in asked]


def predictions_lock(home: Home, fingerprint: str) -> Path:
    """The lock of whoever makes predictions of that fingerprint."""
    return home.locks / f"predictions-{fingerprint[:16]}"


def _missing(asked: Sequence[PredictionRequest], home: Home) -> list[PredictionRequest]:
    return [one for one in asked if not (one.folder(home) / "answers.parquet").exists()]


def read_kept(folder: Path, fingerprint: str) -> Predictions:
    """The answers that are kept in a folder."""
    report = json.loads((folder / "report.json").read_text("utf-8"))
    file = folder / "answers.parquet"
    return Predictions(read_answers(file), report, file, fingerprint)


def _predict_model(
    asked: Sequence[PredictionRequest],
    engine: str,
    serving: str,
    home: Home,
    say: Callable[[str], None],
    watch: Progress,
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
    run_module("slubench.serve", working / "answer.json")
    report = json.loads((working / "engine.json").read_text("utf-8"))
    told = {one["name"]: one for one in report.pop("askings")}
    for one in asked:
        folder = one.folder(home)
        # Of one engine's report each adapter keeps what is common and what is its own.
        write_text(folder / "report.json", json.dumps({**report, **told[one.name]}, indent=1))
        replies = list(read_replies(folder / "replies.jsonl"))
        write_answers(folder / "answers.parquet", replies, *tests[str(one.test)], one.ways, one.transcripts)
