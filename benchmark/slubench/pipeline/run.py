"""`slubench run`, from top to bottom: each verb turns one noun into the next.

    Run -> Planned -> Adapter -> Predictions -> Scores

Each verb first looks for its result on disk, under its fingerprint. So the same command run again resumes,
or reports at once that everything exists.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from slubench.domain.run import Run
from slubench.pipeline.context import Context
from slubench.pipeline.plan import Planned, plan
from slubench.pipeline.predict import predict
from slubench.pipeline.score import find_scores, score
from slubench.pipeline.train import train


@dataclass(frozen=True)
class Outcome:
    """The result of a run.

    Attributes:
        run: The run.
        scores: Its Parquet file of scores.
        cached: Whether the scores existed already.
        seconds: Wall-clock seconds that this command took for all its runs.
    """

    run: Run
    scores: Path
    cached: bool
    seconds: float


def perform(runs: Sequence[Run], context: Context) -> list[Outcome]:
    """Train, predict and score runs; existing results are reused.

    Args:
        runs: In order.
        context: Where and with what.

    Raises:
        SlubenchError: A run cannot be done; the results of the others are kept.
    """
    started = time.monotonic()
    planned = [plan(run, context) for run in runs]
    scores: dict[str, Path] = {}
    missing: dict[str, Planned] = {}
    for one in planned:
        found = find_scores(context.home, one.scored)
        if found is None:
            missing.setdefault(one.scored, one)
        elif one.scored not in scores:
            context.say(f"{one.run.name}: scored already ({found.name})")
            scores[one.scored] = found
    for one in missing.values():
        train(one, context)
    predict(list(missing.values()), context)
    scores |= {fingerprint: score(one, context) for fingerprint, one in missing.items()}
    seconds = time.monotonic() - started
    return [Outcome(one.run, scores[one.scored], one.scored not in missing, seconds) for one in planned]
