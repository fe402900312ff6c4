"""The tier `replayed`: the submitted adapter reproduces the submitted replies on part of the test set."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from slubench.data.rows import read_rows
from slubench.domain.run import Run
from slubench.errors import shown
from slubench.pipeline.context import Context
from slubench.runtime.child_process import run_module
from slubench.runtime.home import Home
from slubench.runtime.jobs import AdapterRequests, PredictJob
from slubench.scoring.predictions import read_replies, write_questions
from slubench.submission.bundle.layout import REPLIES
from slubench.submission.problems import Refusal
from slubench.submission.run_of_row import engine_for
from slubench.submission.verify.case import Case
from slubench.submission.verify.weights import lay_weights

AGREES: Final = 0.95
"""The share of replies that must be the same, since rounding on another machine can change tokens."""


@dataclass(frozen=True)
class Replay:
    """How replies are replayed.

    Attributes:
        count: Utterances drawn of each run's test, anew each time; each is asked in every way.
        context: Whose model and clips are used.
        scratch: Where questions, weights and replies lie meanwhile.
        engine: The inference engine; `auto` for the one that the row names, where it is installed.
        adapters: A folder that holds a folder of weights for each card, for bundles that bring none.
    """

    count: int
    context: Context
    scratch: Home
    engine: str = "auto"
    adapters: Path | None = None

    def __call__(self, cases: Sequence[Case]) -> list[Case]:
        """The cases with the same replies; the differences of the others are recorded.

        Raises:
            MissingError: The model's weights or the engine are not here.
        """
        ready = [one for case in cases if (one := self._prepare(case)) is not None]
        for kind in dict.fromkeys(one.kind for one in ready):
            self._ask([one for one in ready if one.kind == kind])
        return [one.case for one in ready if _compare(one)]

    def _prepare(self, case: Case) -> _Ready | None:
        assert case.claim is not None
        assert case.planned is not None
        run = case.planned.run
        folder = self.scratch.root / "replay" / case.name
        try:
            adapter = lay_weights(case, run, folder / "adapter", self.adapters, self.context)
        except Refusal as refusal:
            case.findings.take([refusal.finding])
            return None
        rows = read_rows(case.planned.test).utterances
        drawn = random.SystemRandom().sample(rows, min(self.count, len(rows)))
        write_questions(
            folder / "questions.parquet", drawn, self.context.recordings(case.planned.test, run.model)
        )
        return _Ready(case, run, folder, adapter, engine_for(case.claim.row, self.engine))

    def _ask(self, ready: Sequence[_Ready]) -> None:
        """Predict the requests of one model and engine in one process."""
        run, engine = ready[0].run, ready[0].engine
        model, _ = self.context.locate(run.model)
        folder = ready[0].folder
        job = PredictJob(
            model=model,
            engine=engine,
            serving="auto",
            clips=str(self.context.home.clips),
            folder=str(folder),
            askings=tuple(
                AdapterRequests(
                    name=one.case.name,
                    adapter=one.adapter,
                    questions=str(one.folder / "questions.parquet"),
                    replies=str(one.folder / "replies.jsonl"),
                )
                for one in ready
            ),
            report=str(folder / "engine.json"),
        )
        job.save(folder / "answer.json")
        whom = "1 adapter" if len(ready) == 1 else f"{len(ready)} adapters"
        self.context.say(f"predicting again with {engine}: {whom}, {self.count} utterances each")
        run_module("slubench.serve", folder / "answer.json")


@dataclass(frozen=True)
class _Ready:
    """A case whose questions and weights lie ready."""

    case: Case
    run: Run
    folder: Path
    adapter: str
    engine: str

    @property
    def kind(self) -> tuple[object, ...]:
        """What is asked in one engine."""
        return *self.run.loads, self.engine


def _compare(one: _Ready) -> bool:
    """Whether the replies are the same."""
    case = one.case
    assert case.claim is not None
    given = {
        (reply.input, reply.utterance): reply.reply for reply in read_replies(one.folder / "replies.jsonl")
    }
    case.notes.append(f"{len(given)} replies were replayed with {one.engine}")
    unlike = [
        (number, row)
        for number, row in enumerate(case.claim.replies, 1)
        if (again := given.get((row["input"], row["utterance"]))) is not None and again != row["reply"]
    ]
    if len(unlike) <= (1 - AGREES) * len(given):
        if unlike:
            case.notes.append(f"{len(unlike)} of them differ, within the tolerance for rounding")
        return True
    for number, row in unlike:
        again = given[row["input"], row["utterance"]]
        message = f"the reply for {shown(row['utterance'])} ({row['input']} input) is {shown(row['reply'])}"
        case.find(REPLIES, f"{message}; the adapter gives {shown(again)}", number)
    return False
