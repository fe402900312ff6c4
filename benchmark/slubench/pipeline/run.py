"""`slubench run` from top to bottom: train, predict, score.

    Run -> Planned -> Adapter -> Predictions -> Scores

Each verb first looks for its result on disk, under its fingerprint. So the same command run again resumes,
or reports at once that everything exists.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from slubench.domain.run import Run
from slubench.errors import SlubenchError
from slubench.pipeline.context import Context
from slubench.pipeline.find_scores import find_scores
from slubench.pipeline.outcomes import Failures, Outcome
from slubench.pipeline.plan import Planned, plan
from slubench.pipeline.predict import are_predicted, predict
from slubench.pipeline.preflight import check_before_training
from slubench.pipeline.score import score
from slubench.pipeline.train import train
from slubench.runtime.child_process import run_module


def perform(
    runs: Sequence[Run], context: Context, start: Callable[[str, Path], None] = run_module
) -> list[Outcome]:
    """Train, predict and score runs; existing results are reused.

    Args:
        runs: In order.
        context: Where and with what.
        start: Runs a training process, as `run_module` does.

    Raises:
        SlubenchError: The only run cannot be done.
        FailedRuns: Some of several runs cannot be done; the others are scored.
    """
    started = time.monotonic()
    failures = Failures(len(runs), context.say)
    planned: list[Planned] = []
    scores: dict[str, Path] = {}
    missing: dict[str, Planned] = {}
    for run in runs:
        with failures.of(run.name):
            one = plan(run, context)
            found = find_scores(one, context)
            planned.append(one)
            if found is None:
                missing.setdefault(one.scored, one)
            elif one.scored not in scores:
                context.say(f"{run.name}: already scored ({found.name})")
                scores[one.scored] = found
    trained: dict[tuple[object, ...], list[Planned]] = {}
    for one in missing.values():
        with failures.of(one.run.name):
            check_before_training(one, context)
            train(one, context, start)
            trained.setdefault(one.run.loads, []).append(one)
    # By model, although `predict` groups runs too: it holds the locks of all that it is given until the last
    # is predicted, and another process would wait for models that this one has not begun.
    for alike in trained.values():
        _predict_and_score(alike, context, scores, failures)
    seconds = time.monotonic() - started
    outcomes = [
        Outcome(one.run, scores[one.scored], one.scored not in missing, seconds)
        for one in planned
        if one.scored in scores
    ]
    failures.conclude(outcomes)
    return outcomes


def _predict_and_score(
    planned: Sequence[Planned], context: Context, scores: dict[str, Path], failures: Failures
) -> None:
    """Predict trained runs of one model with one engine, and score each when its predictions are complete.

    Args:
        planned: The runs.
        context: Where and with what.
        scores: Takes the score files, by fingerprint.
        failures: Takes what fails.
    """

    def score_finished() -> None:
        for one in planned:
            # What cannot be scored does not stop the engine; it is reported when that has ended.
            with suppress(SlubenchError):
                if one.scored not in scores and are_predicted(one, context):
                    scores[one.scored] = score(one, context)

    reasons: dict[str, SlubenchError] = {}

    def note(one: Planned, error: SlubenchError) -> None:
        reasons.setdefault(one.answered, error)

    predict(planned, context, score_finished, note)
    for one in planned:
        if one.scored not in scores:
            with failures.of(one.run.name):
                if one.answered in reasons:
                    raise reasons[one.answered]
                scores[one.scored] = score(one, context)
