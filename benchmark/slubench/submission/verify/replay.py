"""The tier `replayed`: the submitted adapter reproduces the submitted replies on part of the test set."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slubench.data.rows import read_rows
from slubench.domain.run import Run
from slubench.errors import shown
from slubench.pipeline.context import Context
from slubench.runtime.child_process import run_module
from slubench.runtime.home import Home
from slubench.runtime.jobs import AdapterRequests, PredictJob
from slubench.scoring.predictions import write_questions
from slubench.serve import replies, requests
from slubench.serve.allowance import COARSE, Counts, beyond, coarser
from slubench.serve.replies import Reply, explained
from slubench.submission.bundle.layout import REPLIES
from slubench.submission.problems import Refusal
from slubench.submission.run_of_row import engine_for
from slubench.submission.verify.case import Case
from slubench.submission.verify.weights import lay_weights


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
        replayed = []
        for kind in dict.fromkeys(one.kind for one in ready):
            alike = [one for one in ready if one.kind == kind]
            dtype = self._ask(alike)
            replayed += [_compare(one, dtype) for one in alike]
        return judge(replayed)

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
        row = case.claim.row
        engine = engine_for(row, self.engine)
        # An adapter that was served live or merged is served so again; transformers has one way.
        served = row["serving"] if engine == "vllm" and row["serving"] in ("live", "merged") else "auto"
        dtype = row["dtype"] or str(case.claim.report.get("dtype", COARSE))
        asked = frozenset(one.key for one in requests.load(folder / "questions.parquet"))
        return _Ready(case, run, folder, adapter, engine, served, dtype, asked)

    def _ask(self, ready: Sequence[_Ready]) -> str:
        """Ask those of one model, engine and serving, all in one process."""
        run, engine = ready[0].run, ready[0].engine
        model, _ = self.context.locate(run.model)
        folder = ready[0].folder
        job = PredictJob(
            model=model,
            engine=engine,
            serving=ready[0].serving,
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
            ties=ready[0].dtype,
        )
        job.save(folder / "answer.json")
        whom = "1 adapter" if len(ready) == 1 else f"{len(ready)} adapters"
        self.context.say(f"predicting again with {engine}: {whom}, {self.count} utterances each")
        run_module("slubench.serve", folder / "answer.json")
        return str(json.loads(Path(job.report).read_text("utf-8"))["dtype"])


@dataclass(frozen=True)
class _Ready:
    """A case whose questions and weights lie ready."""

    case: Case
    run: Run
    folder: Path
    adapter: str
    engine: str
    serving: str
    dtype: str
    asked: frozenset[tuple[str, str]]

    @property
    def kind(self) -> tuple[object, ...]:
        """What is asked in one engine."""
        return *self.run.loads, self.engine, self.serving, self.dtype


@dataclass(frozen=True, kw_only=True)
class Replayed:
    """A case whose replies were given again.

    Attributes:
        case: The case.
        dtype: The coarser of the number formats of both times.
        asked: Requests that were made again.
        count: Those of them that were given a reply.
        otherwise: Rows of them that are not the same: their number, the row, and what came.
        unexplained: Of `otherwise`, those that part where rounding does not explain it.
    """

    case: Case
    dtype: str
    asked: int
    count: int
    otherwise: Sequence[tuple[int, Mapping[str, Any], Reply]]
    unexplained: Sequence[tuple[int, Mapping[str, Any], Reply]]


def judge(replayed: Sequence[Replayed]) -> list[Case]:
    """The cases that are replayed: all, unless more replies came otherwise than rounding explains.

    A case of which a request was given no reply is not replayed, whatever the others are.

    All cells of one number format are judged together; and each by itself, so that one false adapter among
    many true ones is seen. Of the others it is found which replies differ.
    """
    proven = []
    whole = []
    for one in replayed:
        if 0 < one.asked <= one.count:
            whole.append(one)
        else:
            told = f"{one.count:,} of {one.asked:,} requests were given a reply when they were made again"
            one.case.find(REPLIES, f"{told}, and all must be; verify the bundle again")
    for dtype in dict.fromkeys(one.dtype for one in whole):
        cells = [one for one in whole if one.dtype == dtype]
        counts = [Counts(one.count, len(one.otherwise), len(one.unexplained)) for one in cells]
        too_many, each = beyond(counts, dtype)
        for one, false in zip(cells, each, strict=True):
            if too_many or false:
                _find(one, one.unexplained if false else one.otherwise)
                continue
            proven.append(one.case)
            if one.otherwise:
                one.case.notes.append(f"{len(one.otherwise)} of them came otherwise, as {dtype} may round")
    return proven


def _compare(one: _Ready, dtype: str) -> Replayed:
    """Hold the replies handed in against those that came again."""
    case = one.case
    assert case.claim is not None
    came = {reply.key: reply for reply in replies.load(one.folder / "replies.jsonl")}
    given = {key: reply for key, reply in came.items() if key in one.asked}
    unlike = [
        (number, row, again)
        for number, row in enumerate(case.claim.replies, 1)
        if (again := given.get((row["utterance"], row["input"]))) is not None and again.reply != row["reply"]
    ]
    case.notes.append(f"{len(given)} replies were replayed with {one.engine}")
    return Replayed(
        case=case,
        dtype=coarser(one.dtype, dtype),
        asked=len(one.asked),
        count=len(given),
        otherwise=unlike,
        unexplained=[place for place in unlike if not explained(place[1]["reply"], place[2])],
    )


def _find(one: Replayed, rows: Sequence[tuple[int, Mapping[str, Any], Reply]]) -> None:
    for number, row, again in rows:
        message = f"the reply for {shown(row['utterance'])} ({row['input']} input) is {shown(row['reply'])}"
        one.case.find(REPLIES, f"{message}; the adapter gives {shown(again.reply)}", number)
