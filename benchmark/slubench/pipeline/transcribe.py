"""Transcribes a test set with the base model: the first step of the ASR cascade."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from slubench.data.rows import read_rows
from slubench.domain.prompt import TRANSCRIPT_WANTED, transcription
from slubench.pipeline.context import Context
from slubench.pipeline.plan import Planned
from slubench.registry.adapters import stem
from slubench.runtime.child_process import run_module
from slubench.runtime.files import replacing
from slubench.runtime.jobs import AdapterRequests, PredictJob
from slubench.runtime.locks import locked
from slubench.schemas import TRANSCRIPTS
from slubench.scoring.predictions import read_replies, write_questions


def transcribe(planned: Planned, context: Context) -> dict[str, str]:
    """The base model's transcript of each test recording of a run, by utterance.

    Kept under its own fingerprint, so that all adapters of a model share it. Replies are taken as they came,
    without surrounding blanks.

    Raises:
        UsageError: The model declares no prompt for transcription.
        DataError: A test row cannot be used.
        ProcessError: The serving process failed.
    """
    transcription(planned.run.model)
    name = f"transcripts--{str(planned.test).replace('/', '-')}--{planned.run.model.name}"
    folder = context.home.runs / stem(name, planned.transcribed)
    path = folder / "transcripts.parquet"
    lock = context.home.locks / f"transcripts-{planned.transcribed[:16]}"
    with locked(lock, f"transcribing {planned.test}", context.say):
        kept = read_transcripts(path, [utterance.key for utterance in read_rows(planned.test).utterances])
        return _transcribe(planned, folder, path, context) if kept is None else kept


def read_transcripts(path: Path, test: Iterable[str]) -> dict[str, str] | None:
    """The transcripts by utterance; None unless there is one for every utterance of a test."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        rows = pq.read_table(path).select(TRANSCRIPTS.names).cast(TRANSCRIPTS).to_pylist()
    except (OSError, KeyError, pa.ArrowException):
        return None
    found = [row["utterance"] for row in rows if row["transcript"] is not None]
    if sorted(found, key=str) != sorted(test):
        return None
    return {row["utterance"]: row["transcript"] for row in rows}


def _transcribe(planned: Planned, folder: Path, path: Path, context: Context) -> dict[str, str]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    model, test = planned.run.model, planned.test
    questions, replies = folder / "questions.parquet", folder / "replies.jsonl"
    recordings = context.recordings(test, model)
    write_questions(questions, read_rows(test).utterances, recordings, (TRANSCRIPT_WANTED,))
    job = PredictJob(
        model=model,
        engine=context.engine,
        serving="auto",
        clips=str(context.home.clips),
        folder=str(folder),
        askings=(AdapterRequests(f"{model.name}, transcribing {test}", "", str(questions), str(replies)),),
        report=str(folder / "report.json"),
        gpus=context.gpus,
        batch_size=context.batch_size,
    )
    job.save(folder / "answer.json")
    context.say(f"transcribing {test} by {model.name} with {context.engine}")
    run_module("slubench.serve", folder / "answer.json")
    rows = [
        {"utterance": reply.utterance, "transcript": reply.reply.strip()} for reply in read_replies(replies)
    ]
    with replacing(path) as temporary:
        pq.write_table(pa.Table.from_pylist(rows, schema=TRANSCRIPTS), temporary)
    return {row["utterance"]: row["transcript"] for row in rows}
