"""Asks a model without an adapter for the words of a test's recordings: the first half of its own cascade."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from slubench.data.clips import ClipStore
from slubench.data.recordings import Progress, decode_recordings, no_progress
from slubench.data.rows import read_rows
from slubench.data.source import SplitFiles
from slubench.domain.prompt import TRANSCRIPT_ASKED, transcription
from slubench.domain.run import Run
from slubench.registry.adapters import stem
from slubench.runtime.files import replacing
from slubench.runtime.home import Home
from slubench.runtime.jobs import AdapterRequests, PredictJob
from slubench.runtime.locks import locked
from slubench.runtime.process import run_module
from slubench.schemas import TRANSCRIPTS
from slubench.scoring.predictions import check_test, read_replies, write_questions


def transcribe(
    run: Run,
    test: SplitFiles,
    fingerprint: str,
    engine: str,
    home: Home,
    say: Callable[[str], None],
    watch: Progress = no_progress,
) -> dict[str, str]:
    """What the model as it was before training hears in each recording of a test, by utterance.

    Kept under the fingerprint, so that all adapters of a model share it. Replies are taken as they came, but
    for blanks around them.

    Args:
        run: Gives the model.
        test: The shards of the test.
        fingerprint: The transcripts'.
        engine: `vllm` or `transformers`.
        home: Where things live.
        say: Told each step in a line.
        watch: Opens a progress bar for the decoding.

    Raises:
        UsageError: The model declares no prompt for transcription.
        DataError: A test row cannot be used.
        ProcessError: The answering process failed.
    """
    transcription(run.model)
    folder = home.runs / stem(f"transcripts--{str(test).replace('/', '-')}--{run.model.name}", fingerprint)
    path = folder / "transcripts.parquet"
    with locked(home.locks / f"transcripts-{fingerprint[:16]}", f"transcribing {test}", say):
        if not _readable(path):
            _listen(run, test, folder, path, engine, home, say, watch)
    import pyarrow.parquet as pq

    return {row["utterance"]: row["transcript"] for row in pq.read_table(path).to_pylist()}


def _readable(path: Path) -> bool:
    """Whether kept transcripts are there and whole; damaged ones are made again from the kept replies."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return bool(pq.read_table(path).select(TRANSCRIPTS.names).cast(TRANSCRIPTS).num_rows)
    except (OSError, KeyError, pa.ArrowException):
        return False


def _listen(
    run: Run,
    test: SplitFiles,
    folder: Path,
    path: Path,
    engine: str,
    home: Home,
    say: Callable[[str], None],
    watch: Progress,
) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    store = ClipStore(home.clips, run.model.sampling_rate, run.model.max_seconds)
    rows = read_rows(test)
    recordings = decode_recordings(rows.utterances, test.corpus.audio, str(test), store, watch)
    check_test(rows, recordings)
    questions, replies = folder / "questions.parquet", folder / "replies.jsonl"
    write_questions(questions, rows.utterances, recordings, (TRANSCRIPT_ASKED,))
    job = PredictJob(
        model=run.model,
        engine=engine,
        serving="auto",
        clips=str(store.folder),
        folder=str(folder),
        askings=(
            AdapterRequests(f"{run.model.name}, transcribing {test}", "", str(questions), str(replies)),
        ),
        report=str(folder / "report.json"),
    )
    job.save(folder / "answer.json")
    say(f"transcribing {test} by {run.model.name} with {engine}")
    run_module("slubench.serve", folder / "answer.json")
    heard = [
        {"utterance": answer.utterance, "transcript": answer.reply.strip()}
        for answer in read_replies(replies)
    ]
    with replacing(path) as temporary:
        pq.write_table(pa.Table.from_pylist(heard, schema=TRANSCRIPTS), temporary)
