"""Prepares a job: checks its inputs and finds the requests without a reply."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from slubench.data.clips import ClipStore
from slubench.domain.family import Family
from slubench.registry.families import family_of
from slubench.runtime.jobs import AdapterRequests, PredictJob
from slubench.serve import checkpoint as weights
from slubench.serve import replies
from slubench.serve import requests as questions
from slubench.serve.engine import Engine, Reader
from slubench.serve.near_ties import with_near_ties
from slubench.serve.probe import limits
from slubench.serve.progress import Reporter
from slubench.serve.read_adapter import AdapterFiles
from slubench.serve.replies import Reply
from slubench.serve.report import AdapterReport
from slubench.serve.requests import Request
from slubench.serve.scored_reply import ScoredReply
from slubench.serve.serving_mode import read_adapters
from slubench.serve.transformers_engine import described

SCORED: Final = 32
"""Replies are scored so many at a time."""


@dataclass(frozen=True)
class RemainingRequests:
    """The requests of one file that have no reply yet.

    Attributes:
        asking: The asking.
        questions: Those without a reply, in order.
        kept: How many have one.
    """

    asking: AdapterRequests
    questions: tuple[Request, ...]
    kept: int


@dataclass(frozen=True)
class LoadedJob:
    """A prepared job.

    Attributes:
        job: The job.
        checkpoint: Folder of the base's weights.
        clips: The clip store.
        adapters: What the files of each adapter say, by the folder its askings name.
        left: What is left of each asking, in order.
        reporter: Tells a person what is going on.
        spent: Wall seconds by what they were spent on.
    """

    job: PredictJob
    checkpoint: Path
    clips: ClipStore
    adapters: dict[str, AdapterFiles]
    left: dict[AdapterRequests, RemainingRequests]
    reporter: Reporter
    spent: dict[str, float] = field(default_factory=dict)

    @property
    def family(self) -> Family:
        """The model's family."""
        return family_of(self.job.model.family, self.job.model.family_file)

    @contextmanager
    def spent_on(self, what: str) -> Iterator[None]:
        """Add the block's wall time to `what`."""
        started = time.monotonic()
        try:
            yield
        finally:
            self.spent[what] = self.spent.get(what, 0.0) + time.monotonic() - started

    def ask(
        self, engine: Engine, adapter: str, asking: AdapterRequests, asked: AdapterReport
    ) -> AdapterReport:
        """Predict the remaining requests, append each reply as it comes, and count.

        Args:
            engine: Who answers.
            adapter: The adapter as the engine names it.
            asking: The asking.
            asked: What is known of it so far.
        """
        path = Path(asking.replies)
        known = {reply.key for reply in replies.load(path)}
        wanted = [question for question in self.left[asking].questions if question.key not in known]
        if not wanted:
            return asked
        started, tokens = time.monotonic(), 0
        self.reporter.begin(asking.name, len(wanted))
        for handful in self._replies(engine, adapter, wanted):
            replies.append(path, handful)
            tokens += sum(reply.tokens for reply in handful)
            self.reporter.advance(len(handful))
        return replace(
            asked,
            asked=asked.asked + len(wanted),
            tokens=asked.tokens + tokens,
            seconds=round(asked.seconds + time.monotonic() - started, 3),
        )

    def _replies(self, engine: Engine, adapter: str, wanted: Sequence[Request]) -> Iterator[list[Reply]]:
        if not self.job.ties:
            yield from engine.ask(adapter, wanted)
            return
        for start in range(0, len(wanted), SCORED):
            yield self.tied(engine.reader, engine.score(adapter, wanted[start : start + SCORED]))

    def tied(self, reader: Reader, scored: Sequence[ScoredReply]) -> list[Reply]:
        """Replies as they are kept: with their near ties where the job wants them."""
        if not self.job.ties:
            return [one.reply for one in scored]
        behind = max(limits(dtype).behind for dtype in (self.job.ties, described()["dtype"]))
        return [with_near_ties(reader, one, behind) for one in scored]


def prepare(job: PredictJob, reporter: Reporter) -> LoadedJob:
    """Read a job's requests, existing replies and adapters, and check that weights and clips exist.

    Raises:
        SlubenchError: Something is missing, pickled or broken; the message names it.
    """
    clips = ClipStore(Path(job.clips), job.model.sampling_rate, job.model.max_seconds)
    adapters = read_adapters(job)
    checkpoint = weights.find(job.model)
    family = family_of(job.model.family, job.model.family_file)
    weights.require_whole(checkpoint, family)
    left = {asking: _left(asking) for asking in job.askings}
    for one in left.values():
        questions.require_clips(one.questions, clips)
    return LoadedJob(job, checkpoint, clips, adapters, left, reporter)


def _left(asking: AdapterRequests) -> RemainingRequests:
    path = Path(asking.replies)
    replies.mend(path)
    answered = {reply.key for reply in replies.load(path)}
    every = questions.load(Path(asking.questions))
    left = tuple(question for question in every if question.key not in answered)
    return RemainingRequests(asking, left, len(every) - len(left))
