"""Tier `replayed`: the handed-in adapter, asked some of the test again, gives the replies handed in."""

from __future__ import annotations

import hashlib
import random
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from slubench.answers import read_replies, write_questions
from slubench.corpora.rows import read_rows
from slubench.home import Home
from slubench.jobs import AnswerJob, Asking
from slubench.process import run_module
from slubench.run import Run
from slubench.submission.case import Case
from slubench.submission.desk import Desk
from slubench.submission.dressing import dress, tensors
from slubench.submission.finding import Finding, Refusal, shown
from slubench.submission.layout import REPLIES
from slubench.submission.plain import opened
from slubench.weights import locate

AGREES: Final = 0.95
"""Part of the replies that must come again: another machine's rounding may turn a token here and there."""


@dataclass(frozen=True)
class Replay:
    """How replies are asked for again.

    Attributes:
        count: Utterances drawn of each run's test, anew each time; each is asked in every way.
        desk: Whose model and clips are used.
        scratch: Where questions, weights and replies lie meanwhile.
        engine: What answers, `auto` for the engine that the row names where it is installed.
        adapters: A folder that holds a folder of weights for each card, for bundles that bring none.
    """

    count: int
    desk: Desk
    scratch: Home
    engine: str = "auto"
    adapters: Path | None = None

    def __call__(self, cases: Sequence[Case]) -> list[Case]:
        """The cases whose replies came again; of the others it is found which did not.

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
            adapter = _adapter(case, run, folder / "adapter", self.adapters, self.desk)
        except Refusal as refusal:
            case.findings.take([refusal.finding])
            return None
        rows = read_rows(case.planned.test).utterances
        drawn = random.SystemRandom().sample(rows, min(self.count, len(rows)))
        write_questions(folder / "questions.parquet", drawn, self.desk.hear(run, case.planned.test))
        return _Ready(case, run, folder, adapter, _engine(self.engine, str(case.claim.row["engine"])))

    def _ask(self, ready: Sequence[_Ready]) -> None:
        """Ask those of one model and engine, all in one process."""
        run, engine = ready[0].run, ready[0].engine
        model, _ = locate(run.model, self.desk.digests)
        folder = ready[0].folder
        job = AnswerJob(
            model=model,
            engine=engine,
            serving="auto",
            clips=str(self.desk.home.clips),
            folder=str(folder),
            askings=tuple(
                Asking(
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
        self.desk.say(f"asking {len(ready)} adapters {self.count} utterances each again with {engine}")
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
        """What is asked in one engine: prompts tell models apart too."""
        return self.run.model.name, self.run.model.prompt, self.engine


def _compare(one: _Ready) -> bool:
    """Whether the replies came again."""
    case = one.case
    assert case.claim is not None
    given = {
        (reply.asked, reply.utterance): reply.reply for reply in read_replies(one.folder / "replies.jsonl")
    }
    case.notes.append(f"{len(given)} replies were asked again with {one.engine}")
    unlike = [
        (number, row)
        for number, row in enumerate(case.claim.replies, 1)
        if (again := given.get((row["asked"], row["utterance"]))) is not None and again != row["reply"]
    ]
    if len(unlike) <= (1 - AGREES) * len(given):
        if unlike:
            case.notes.append(f"{len(unlike)} of them came otherwise, within what rounding may do")
        return True
    for number, row in unlike:
        again = given[row["asked"], row["utterance"]]
        message = f"the reply to {shown(row['utterance'])} ({row['asked']}) is {shown(row['reply'])}"
        case.find(REPLIES, f"{message}; the adapter gives {shown(again)}", number)
    return False


def _engine(wanted: str, row: str) -> str:
    from slubench import engines

    named = row.partition(" ")[0]
    return engines.resolve(named if wanted == "auto" and named in engines.available() else wanted)


def _adapter(case: Case, run: Run, folder: Path, adapters: Path | None, desk: Desk) -> str:
    """The folder of the weights, with a config that follows from the recipe and not from the bundle.

    Raises:
        Refusal: Weights are missing, are not those of the card, or are no safetensors.
    """
    assert case.claim is not None
    folder.mkdir(parents=True)
    card = case.claim.card
    if not card.sha256:
        return ""
    listed = {Path(path).name: path for path in case.entry.weights}
    for name, digest in card.sha256.items():
        if name in listed:
            source, told = case.bundle.folder / listed[name], listed[name]
        elif adapters is not None:
            # Of a card only its fingerprint, which was checked, leads to a folder of this machine's.
            source = adapters / f"{run.training}-{card.fingerprint[:8]}" / Path(name).name
            told = str(source)
        else:
            raise Refusal(Finding(case.entry.file("card.json"), _NO_WEIGHTS.format(name=shown(name))))
        _take(source, folder / Path(name).name, digest, told)
    dress(folder, run.model, run.track, desk.digests)
    return str(folder)


_NO_WEIGHTS = (
    "its weights {name} do not come along, and without them nothing can be asked again;"
    " hand in with --with-adapters, or name a folder that holds them with --adapters DIR"
)


def _take(source: Path, target: Path, digest: str, told: str) -> None:
    """Copy weights that are safetensors and those of the card."""
    from safetensors import SafetensorError

    if target.suffix != ".safetensors":
        raise Refusal(Finding(told, "weights are safetensors; a pickle may run code when it is read"))
    try:
        with opened(source, told) as file, target.open("wb") as copy:
            shutil.copyfileobj(file, copy)
        with target.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != digest:
            raise Refusal(
                Finding(told, f"its SHA-256 is {found[:12]}; the card tells of {shown(digest[:12])}")
            )
        tensors(target)
    except SafetensorError as error:
        raise Refusal(Finding(told, f"it is no safetensors file ({shown(str(error), 160)})")) from None
