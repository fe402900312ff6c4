"""Scores a run: one Parquet row per measure and slice, with sums and the run's record beside it."""

from __future__ import annotations

import datetime
import json
from collections.abc import Collection, Mapping, Sequence
from glob import escape
from pathlib import Path
from typing import Any

from slubench.data.editions import EDITIONS
from slubench.data.rows import read_rows
from slubench.data.source import SplitFiles
from slubench.domain.metric import Metric
from slubench.domain.prompt import ASR_INPUT
from slubench.domain.task import Task
from slubench.errors import DataError, unknown
from slubench.metrics import SCORER_VERSION
from slubench.pipeline.context import Context
from slubench.pipeline.kept_predictions import Predictions
from slubench.pipeline.plan import Planned
from slubench.pipeline.predict import read_predictions
from slubench.registry.adapters import Adapter, stem
from slubench.runtime.files import replacing
from slubench.runtime.home import Home
from slubench.schemas import RULES, SCHEMA_VERSION
from slubench.scoring.complete import incomplete
from slubench.scoring.predictions import INPUTS
from slubench.scoring.record import Origin, write_record
from slubench.scoring.sidecars import remove_scores, write_parts
from slubench.scoring.whole import whole_scores

__all__ = ["SCORER_VERSION", "find_scores", "identify", "metrics_for", "score", "write_scores"]


def find_scores(home: Home, fingerprint: str) -> Path | None:
    """The scores with that fingerprint, if they exist and are complete.

    Raises:
        DataError: They were written by a newer version.
    """
    for path in home.scores.glob(f"*-{fingerprint[:8]}.parquet"):
        if whole_scores(path, fingerprint):
            return path
    return None


def score(planned: Planned, context: Context) -> Path:
    """Compare the predictions of a run with gold, and write the scores.

    Args:
        planned: The run, trained and predicted.
        context: Where its results are kept.

    Returns:
        The Parquet file, see `slubench.schemas.SCORES`.

    Raises:
        MissingError: The run is not trained.
    """
    run, adapter = planned.run, planned.adapter(context.home)
    context.say(f"scoring {run.name}")
    answers, *own = read_predictions(planned, context)
    identity = identify(planned, adapter, answers, planned.scored)
    identity["asr_fingerprint"] = planned.owned
    origin = Origin(adapter, run.strategy_origin, EDITIONS[run.edition].gold_shown)
    metrics = metrics_for(run.task, context.registry.metrics)
    every = [answers, *own]
    heard = heard_in(context.home, adapter)
    return write_scores(identity, every, planned.test, planned.pools, context.home, origin, metrics, heard)


def write_scores(
    identity: Mapping[str, Any],
    answers: Sequence[Predictions],
    test: SplitFiles,
    pools: Sequence[SplitFiles],
    home: Home,
    origin: Origin,
    metrics: Sequence[Metric],
    heard: Collection[tuple[str, str]] | None = None,
) -> Path:
    """Score the predictions of a run with the given identity.

    Args:
        identity: By the names of `slubench.schemas.IDENTITY`.
        answers: One for each kind of input.
        test: Where gold is.
        pools: What was learnt from, for slices of seen and unseen sentences and speakers.
        home: Where scores are written. Scores of the same run and predictions under another fingerprint, made
            by another scorer or before an input was added, are replaced.
        origin: Where the run came from, for its record.
        metrics: Those that count.
        heard: Language and key of the utterances heard in training, None where they are not known.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    from slubench.schemas import SCORES
    from slubench.scoring.record import samples_of
    from slubench.scoring.score import score_answers

    keys = [utterance.key for utterance in read_rows(test).utterances]
    for part in answers:
        # Own transcripts are predicted from apart from speech and text, which every run has.
        if fault := incomplete(part.rows, keys, INPUTS if part is answers[0] else (ASR_INPUT,)):
            raise DataError(f"{part.file}: {fault}. Delete it and run the same command again.")
    every = [answer for part in answers for answer in part.rows]
    scored = score_answers(every, test, pools, answers[0].file, metrics, heard)
    rows = [{**identity, **row} for row in scored.rows]
    fingerprint = str(identity["scores_fingerprint"])
    name = f"{stem(identity['run'], fingerprint)}.parquet"
    write_parts(home.scores, name, fingerprint, scored.parts, metrics)
    path = home.scores / name
    reports = {"+".join(dict.fromkeys(one.input for one in part.rows)): part.report for part in answers}
    samples = samples_of(every, scored.gold, gold_shown=origin.gold_shown)
    write_record(path, identity, origin, reports, samples)
    with replacing(path) as temporary:
        pq.write_table(pa.Table.from_pylist(rows, schema=SCORES), temporary, compression="zstd")
    for other in superseded(home, path, identity):
        remove_scores(other)
    return path


def metrics_for(task: Task, metrics: Mapping[str, Metric]) -> list[Metric]:
    """The metrics of a task: those it names, else all declared ones.

    Raises:
        UsageError: It names one that is not declared.
    """
    for name in task.metrics:
        if name not in metrics:
            raise unknown(f"metric of task {task.name}", name, metrics)
    return [metrics[name] for name in task.metrics or metrics]


def heard_in(home: Home, adapter: Adapter | None) -> frozenset[tuple[str, str]] | None:
    """Language and key of the recordings that an adapter was trained on, from `consumed.json`.

    Args:
        home: Where runs are kept.
        adapter: What was trained, None where its card is not kept.

    Returns:
        None where the run is not kept.
    """
    if adapter is None:
        return None
    if not adapter.ledger.clip_exposures:
        return frozenset()
    path = home.runs / adapter.stem / "consumed.json"
    try:
        heard = json.loads(path.read_text("utf-8"))["heard"]
        return frozenset((language, key) for language, keys in heard.items() for key in keys)
    except (OSError, ValueError, KeyError, AttributeError, TypeError):
        return None


def superseded(home: Home, path: Path, identity: Mapping[str, Any]) -> list[Path]:
    """Other score files of the same run and predictions."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    # These are named alike in every version's files.
    names = ("run", "task", "strategy", "answers_fingerprint")
    found = []
    for other in sorted(home.scores.glob(f"{escape(identity['run'])}-*.parquet")):
        try:
            table = pq.ParquetFile(other).read_row_group(0, columns=list(names)).slice(0, 1)
        except (pa.ArrowException, OSError):
            continue
        row = table.to_pylist()[0] if table.num_rows and len(table.column_names) == len(names) else None
        if other != path and row == {name: identity[name] for name in names}:
            found.append(other)
    return found


def identify(planned: Planned, adapter: Adapter, answers: Predictions, fingerprint: str) -> dict[str, Any]:
    """The columns of `slubench.schemas.IDENTITY`, which identify a run on each of its score rows.

    Args:
        planned: The run.
        adapter: Its adapter.
        answers: Its predictions; their report names engine, serving and seconds.
        fingerprint: The scores' fingerprint.
    """
    run = planned.run
    ledger, training, report = adapter.ledger, adapter.training, answers.report
    return {
        "schema_version": SCHEMA_VERSION,
        "rules": RULES,
        "scorer_version": SCORER_VERSION,
        "run": run.name,
        "train_fingerprint": adapter.fingerprint,
        "answers_fingerprint": answers.fingerprint,
        "scores_fingerprint": fingerprint,
        "edition": run.edition,
        "corpus": run.task.corpus.name,
        "corpus_revision": planned.test.revision,
        "task": run.task.name,
        "test_in": run.task.test_in,
        "speech_in": list(run.task.speech_in),
        "text_in": list(run.task.text_in),
        "strategy": run.strategy.name,
        "strategy_digest": adapter.strategy_digest or None,
        "model": run.model.name,
        "model_weights": adapter.weights or None,
        "track": run.track,
        "data_track": run.data_track,
        "ruleset": run.rules,
        "selection": run.selects,
        "engine": f"{report['engine']} {report['version']}",
        "serving": report["serving"],
        "data_seed": run.data_seed,
        "train_seed": run.train_seed,
        "speech": str(run.spends),
        "speech_share": ledger.clips_bought / ledger.clips_there if ledger.clips_there else 0.0,
        "target": run.spends.target,
        "clips_bought": ledger.clips_bought,
        "clips_unique": sum(ledger.clips_unique.values()),
        "clip_exposures": sum(ledger.clip_exposures.values()),
        "minutes_bought": ledger.minutes_bought,
        "minutes_exposed": sum(ledger.minutes_exposed.values()),
        "text_rows": sum(ledger.text_exposures.values()),
        "updates": sum(ledger.updates),
        "cell_updates": ledger.cell_updates or None,
        "flops": float(training.get("flops", 0.0)),
        "train_seconds": float(training.get("seconds", 0.0)),
        "answer_seconds": float(report.get("seconds", 0.0)),
        "tier": "local",
        "created": datetime.datetime.now(datetime.UTC),
    }
