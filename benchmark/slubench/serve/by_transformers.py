"""A job answered by transformers."""

from __future__ import annotations

from pathlib import Path

from slubench.serve.plan import LIVE, NATIVE
from slubench.serve.report import Asked, Report
from slubench.serve.transformers_engine import TransformersEngine, described
from slubench.serve.weights import is_checkpoint
from slubench.serve.work import Work


def run(work: Work) -> Report:
    """Ask every asking in order, peft applying the adapters.

    Raises:
        DataError: An adapter does not fit the model.
    """
    with work.spent_on("start"):
        engine = TransformersEngine(work.job.model, work.checkpoint, work.clips)
    done = []
    for asking in work.job.askings:
        if asking.adapter and not is_checkpoint(Path(asking.adapter)):
            serving, why = LIVE, "peft applies the adapter"
        else:
            serving, why = NATIVE, "a whole checkpoint" if asking.adapter else "no adapter"
        asked = Asked(name=asking.name, serving=serving, why=why, kept=work.left[asking].kept)
        with work.spent_on("answering"):
            done.append(work.ask(engine, asking.adapter, asking, asked))
    return Report(engine="transformers", askings=tuple(done), spent=work.spent, **described())
