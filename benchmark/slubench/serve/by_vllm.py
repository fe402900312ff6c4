"""Runs a job in one vLLM engine, after comparing it with transformers on a few requests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from slubench.runtime.jobs import AdapterRequests
from slubench.serve import probe, replies
from slubench.serve.engine import Engine, Reader
from slubench.serve.merge import discard, merge
from slubench.serve.probe import Probe
from slubench.serve.report import AdapterReport, ServeReport
from slubench.serve.requests import Request
from slubench.serve.scored_reply import ScoredReply
from slubench.serve.serving_mode import LIVE, MERGED, NATIVE, Load
from slubench.serve.transformers_engine import TransformersEngine, described, place
from slubench.serve.vllm_engine import VllmEngine, size
from slubench.serve.work import LoadedJob

NOT_RUN = Probe(outcome="not run")


@dataclass(frozen=True)
class Expected:
    """What transformers answers to a probe's questions.

    Attributes:
        questions: The questions.
        replies: In their order, with the asking's adapter, or of its whole checkpoint.
    """

    questions: tuple[Request, ...]
    replies: tuple[ScoredReply, ...]


def run(work: LoadedJob, load: Load) -> ServeReport:
    """Probe, then predict what is missing of the load's requests.

    Raises:
        ProbeError: vLLM ignores an adapter, or disagrees with transformers.
        DataError: An adapter does not fit the model, or a question is too long for it.
    """
    done = {
        asking: AdapterReport(
            name=asking.name,
            serving=load.serving if asking.adapter else NATIVE,
            why=load.why if asking.adapter else "no adapter",
            kept=work.left[asking].kept,
            probe=NOT_RUN,
        )
        for asking in load.askings
    }
    # Those without an adapter come first: in vLLM no row of the base may follow one that had an adapter.
    askings = sorted(
        (asking for asking in load.askings if work.left[asking].questions),
        key=lambda asking: asking.adapter != "",
    )
    left = set(askings)
    if askings:
        # Merged weights are large: whatever ends this, an interrupt too, they do not stay.
        try:
            with work.spent_on("probe"):
                expected = _expect(work, askings)
            engine = _start(work, load, askings)
            for asking in askings:
                done[asking] = _serve(work, engine, load, asking, done[asking], expected[asking])
                left.remove(asking)
                # Who waits for this adapter alone need not wait for the others.
                answered = tuple(report for one, report in done.items() if one not in left)
                ServeReport(engine="vllm", askings=answered, spent=work.spent, **described()).save(
                    Path(work.job.report)
                )
            engine.close()
        finally:
            discard(Path(work.job.folder))
    return ServeReport(engine="vllm", askings=tuple(done.values()), spent=work.spent, **described())


def _expect(work: LoadedJob, askings: Sequence[AdapterRequests]) -> dict[AdapterRequests, Expected]:
    """Predict with transformers, and free it before vLLM starts, since a GPU may not hold both."""
    work.reporter.say("running a few requests with transformers to compare them with vLLM")
    engine = TransformersEngine(work.job.model, work.checkpoint, work.clips, batch=probe.QUESTIONS)
    chosen = {asking: tuple(probe.choose(work.left[asking].questions)) for asking in askings}
    expected = {
        asking: Expected(few, tuple(engine.score(asking.adapter, few, parts=asking.adapter in work.adapters)))
        for asking, few in chosen.items()
    }
    engine.close()
    return expected


def _start(work: LoadedJob, load: Load, askings: Sequence[AdapterRequests]) -> VllmEngine:
    weights = load.weights or work.checkpoint
    if load.serving == MERGED:
        work.reporter.say("merging the adapter into the base model's weights")
        with work.spent_on("merge"):
            weights = merge(work.checkpoint, weights, Path(work.job.folder), work.family)
    carried = {
        asking.adapter: work.adapters[asking.adapter]
        for asking in load.askings
        if asking.adapter and load.serving == LIVE
    }
    every = [question for asking in askings for question in work.left[asking].questions]
    device, _ = place()
    work.reporter.say(f"starting vLLM ({load.serving}: {load.why})")
    with work.spent_on("start"):
        reader = Reader.open(work.job.model, weights, work.clips)
        return VllmEngine(
            reader,
            weights,
            carried,
            size(reader, every, weights),
            device,
            described()["dtype"],
            work.job.gpus,
            work.job.batch_size,
        )


def _serve(
    work: LoadedJob,
    engine: Engine,
    load: Load,
    asking: AdapterRequests,
    asked: AdapterReport,
    expected: Expected,
) -> AdapterReport:
    adapter = asking.adapter if load.serving == LIVE else ""
    with work.spent_on("probe"):
        served = engine.score(adapter, expected.questions)
        pairs = zip(served, expected.replies, strict=True)
        compared = [probe.compare(ours, theirs) for ours, theirs in pairs]
        outcome = probe.judge(asking.name, compared, described()["dtype"])
    replies.append(Path(asking.replies), work.tied(engine.reader, served))
    tokens = sum(one.reply.tokens for one in served)
    asked = replace(asked, asked=len(served), tokens=tokens, probe=outcome)
    with work.spent_on("answering"):
        return work.ask(engine, adapter, asking, asked)
