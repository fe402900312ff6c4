"""Runs a serving job and writes its report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from slubench.errors import unknown
from slubench.runtime.child_process import run_child
from slubench.runtime.engines import ENGINES, resolve
from slubench.runtime.jobs import PredictJob
from slubench.serve.checkpoint import is_checkpoint
from slubench.serve.progress import Reporter
from slubench.serve.report import AdapterReport, ServeReport
from slubench.serve.serving_mode import LIVE, NATIVE, Load, plan
from slubench.serve.transformers_engine import TransformersEngine, described
from slubench.serve.work import LoadedJob, prepare


def run(work: LoadedJob) -> ServeReport:
    """Predict all requests in order with transformers, the adapters applied by peft.

    Raises:
        DataError: An adapter does not fit the model.
    """
    with work.spent_on("start"):
        engine = TransformersEngine(work.job.model, work.checkpoint, work.clips, work.job.batch_size or None)
    done = []
    for asking in work.job.askings:
        if asking.adapter and not is_checkpoint(Path(asking.adapter)):
            serving, why = LIVE, "peft applies the adapter"
        else:
            serving, why = NATIVE, "a whole checkpoint" if asking.adapter else "no adapter"
        asked = AdapterReport(name=asking.name, serving=serving, why=why, kept=work.left[asking].kept)
        with work.spent_on("answering"):
            done.append(work.ask(engine, asking.adapter, asking, asked))
        report = ServeReport(engine="transformers", askings=tuple(done), spent=work.spent, **described())
        # Who waits for this adapter alone need not wait for the others.
        report.save(Path(work.job.report))
    return report


def answer(job: PredictJob, reporter: Reporter) -> ServeReport:
    """Predict what has no reply yet, append replies as they come, and write the report last.

    Raises:
        SlubenchError: Something the user can mend: an adapter, weights, clips or an option.
        SystemExit: A process of its own that one of several engines was given has failed, and said why.
    """
    if job.engine not in ENGINES:
        raise unknown("engine", job.engine, ENGINES)
    resolve(job.engine)
    work = prepare(job, reporter)
    if job.engine == "transformers":
        report = run(work)
    else:
        loads = plan(job, work.adapters)
        if len(loads) > 1:
            report = _one_after_another(job, loads, reporter)
        else:
            from slubench.serve import by_vllm

            report = by_vllm.run(work, loads[0])
    report.save(Path(job.report))
    return report


def _one_after_another(job: PredictJob, loads: Sequence[Load], reporter: Reporter) -> ServeReport:
    """Run each engine in its own process, since vLLM does not free all memory before its process ends."""
    reports = []
    for number, load in enumerate(loads, start=1):
        path = Path(job.folder) / f"engine-{number}.json"
        told = path.with_name(f"engine-{number}-report.json")
        serving = "auto" if load.serving == NATIVE else load.serving
        replace(job, serving=serving, askings=load.askings, report=str(told)).save(path)
        if code := run_child("slubench.serve", path, group=False, stderr=reporter.stream):
            raise SystemExit(code if code > 0 else 1)
        report = ServeReport.load(told)
        askings = tuple(replace(asked, why=load.why) for asked in report.askings)
        reports.append(replace(report, askings=askings))
    order = [asking.name for asking in job.askings]
    askings = tuple(
        sorted(
            (asked for report in reports for asked in report.askings), key=lambda one: order.index(one.name)
        )
    )
    kinds = sorted({kind for report in reports for kind in report.spent})
    spent = {kind: sum(report.spent.get(kind, 0.0) for report in reports) for kind in kinds}
    return replace(reports[0], askings=askings, spent=spent)
