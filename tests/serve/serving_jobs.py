"""Jobs for tests of serving: clips, questions, and the process that answers them."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import soundfile

import slubench
from slubench.data.clips import ClipStore
from slubench.domain.model import Model
from slubench.domain.prompt import ClipRef, to_rows
from slubench.runtime.jobs import AdapterRequests, PredictJob
from slubench.schemas import REQUESTS
from slubench.serve.replies import Reply, load
from tests.command import heeds_interrupts
from tests.serve.tiny_checkpoints import sentence


@dataclass(frozen=True)
class ServingJobs:
    """A folder of clips and questions to ask a model."""

    folder: Path
    model: Model

    @property
    def clips(self) -> ClipStore:
        return ClipStore(self.folder / "clips", self.model.sampling_rate, self.model.max_seconds)

    @property
    def questions(self) -> Path:
        return self.folder / "questions.parquet"

    def write_questions(self, number: int) -> None:
        """Ask the recordings of `number` utterances and then their transcripts."""
        rows = [
            {"utterance": f"u{i}", "input": "speech", "parts": to_rows([ClipRef(self.clips.add(clip(i)))])}
            for i in range(number)
        ]
        rows += [
            {"utterance": f"u{i}", "input": "text", "parts": to_rows([sentence(i)])} for i in range(number)
        ]
        pq.write_table(pa.Table.from_pylist(rows, schema=REQUESTS), self.questions)

    def job(
        self, name: str, adapters: Sequence[Path | None], engine: str, serving: str = "auto"
    ) -> PredictJob:
        """A job that asks each adapter, or the base for None, all questions."""
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        return PredictJob(
            model=self.model,
            engine=engine,
            serving=serving,
            clips=str(self.clips.folder),
            folder=str(folder),
            askings=tuple(
                AdapterRequests(
                    name=adapter.name if adapter else "base",
                    adapter=str(adapter or ""),
                    questions=str(self.questions),
                    replies=str(folder / f"{adapter.name if adapter else 'base'}.jsonl"),
                )
                for adapter in adapters
            ),
            report=str(folder / "report.json"),
        )


def clip(number: int) -> bytes:
    """A WAV of a few gliding tones, different for each number, of 0.4 to 4 seconds."""
    rng = np.random.default_rng(number)
    seconds = np.arange(int(16_000 * rng.uniform(0.4, 4.0))) / 16_000
    tones = rng.uniform(100, 3000, 4)[:, None] * (1 + 0.2 * np.sin(3 * seconds))[None, :]
    samples = 0.1 * np.sin(2 * np.pi * tones * seconds).sum(axis=0) + 0.02 * rng.standard_normal(len(seconds))
    file = io.BytesIO()
    soundfile.write(file, samples, 16_000, format="WAV")
    return file.getvalue()


@dataclass(frozen=True)
class Ran:
    """What became of a process."""

    code: int
    stdout: str
    stderr: str


def python(*arguments: str) -> Ran:
    """Run Python where slubench can be imported."""
    with _popen(arguments) as running:
        stdout, stderr = running.communicate()
    return Ran(running.returncode, stdout, stderr)


def _popen(arguments: Sequence[str]) -> subprocess.Popen[str]:
    root = str(Path(slubench.__file__).parents[1])
    environment = os.environ | {"PYTHONPATH": root, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        preexec_fn=heeds_interrupts,
    )


def serve(job: PredictJob) -> Ran:
    """Run a job in a process of its own."""
    with start(job) as running:
        stdout, stderr = running.communicate()
    return Ran(running.returncode, stdout, stderr)


def start(job: PredictJob) -> subprocess.Popen[str]:
    """Start a job in a process of its own."""
    path = Path(job.folder) / "job.json"
    job.save(path)
    return _popen(["-m", "slubench.serve", str(path)])


def report(job: PredictJob) -> Any:
    """The report that a job wrote."""
    return json.loads(Path(job.report).read_text("utf-8"))


def replies(asking: AdapterRequests) -> dict[tuple[str, str], Reply]:
    """The replies of an asking by question."""
    return {reply.key: reply for reply in load(Path(asking.replies))}


def share_equal(ours: Iterable[AdapterRequests], theirs: Iterable[AdapterRequests]) -> float:
    """The share of equal replies over askings paired in order."""
    pairs = [
        (reply, replies(second)[key])
        for first, second in zip(ours, theirs, strict=True)
        for key, reply in replies(first).items()
    ]
    return sum(a == b for a, b in pairs) / len(pairs)
