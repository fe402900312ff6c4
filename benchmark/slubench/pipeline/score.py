"""Scores a run: one Parquet row per measure and slice, with sums and the run's record beside it."""

from __future__ import annotations

import datetime
import hashlib
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
from slubench.domain.run import Run
from slubench.domain.task import Task
from slubench.errors import DataError, unknown
from slubench.pipeline.context import Context
from slubench.pipeline.fingerprints import more_metrics, scores_fingerprint
from slubench.pipeline.kept_predictions import Predictions
from slubench.pipeline.plan import Planned, known_of
from slubench.pipeline.predict import read_predictions
from slubench.registry.adapters import Adapter, stem
from slubench.runtime.files import replacing
from slubench.runtime.home import Home
from slubench.scoring.complete import incomplete
from slubench.scoring.predictions import INPUTS
from slubench.scoring.record import Origin, write_record
from slubench.scoring.sidecars import remove_scores, write_parts

__all__ = ["identify", "metrics_for", "score", "write_scores"]


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
    more = more_metrics(run.task, context.home.root)
    identity = identify(planned, adapter, answers, more)
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
    fingerprint = str(identity["scores_fingerprint"])
    name = f"{stem(identity['run'], fingerprint)}.parquet"
    path = home.scores / name
    others = superseded(home, path, identity)
    # What was predicted once has its own time, however often it is scored.
    times = [row["created"] for row in (*others.values(), first_row(path, ["created"])) if row]
    created = min([identity["created"], *(time for time in times if time)])
    rows = [{**identity, "created": created, **row} for row in scored.rows]
    write_parts(home.scores, name, fingerprint, scored.parts, metrics)
    reports = {"+".join(dict.fromkeys(one.input for one in part.rows)): part.report for part in answers}
    samples = samples_of(every, scored.gold, gold_shown=origin.gold_shown)
    write_record(path, identity, origin, reports, samples)
    with replacing(path) as temporary:
        pq.write_table(pa.Table.from_pylist(rows, schema=SCORES), temporary, compression="zstd")
    for other in others:
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


def superseded(home: Home, path: Path, identity: Mapping[str, Any]) -> dict[Path, dict[str, Any]]:
    """Other score files of the same run and predictions, and copies of the same scores under another name.

    Args:
        home: Where scores are.
        path: The score file that is none of them.
        identity: By the names of `slubench.schemas.IDENTITY`.

    Returns:
        Of each file some columns of its first row.
    """
    named = home.scores.glob(f"{escape(identity['run'])}-*.parquet")
    copies = home.scores.glob(f"*-{identity['scores_fingerprint'][:8]}.parquet")
    found = {}
    for other in sorted({*named, *copies} - {path}):
        row = first_row(other, (*PREDICTED, "scores_fingerprint", "created"))
        alike = row is not None and all(row[name] == identity[name] for name in PREDICTED)
        if row is not None and (alike or row["scores_fingerprint"] == identity["scores_fingerprint"]):
            found[other] = row
    return found


PREDICTED = ("run", "task", "strategy", "answers_fingerprint")
"""What two score files of the same predictions share; every version names these columns alike."""


def first_row(path: Path, names: Sequence[str]) -> dict[str, Any] | None:
    """Some columns of a score file's first row, whatever version wrote it; None where they can't be read."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.ParquetFile(path).read_row_group(0, columns=list(names)).slice(0, 1)
    except (pa.ArrowException, OSError):
        return None
    if not table.num_rows or set(names) - set(table.column_names):
        return None
    row: dict[str, Any] = table.to_pylist()[0]
    return row


def identify(
    planned: Planned, adapter: Adapter, answers: Predictions, metrics: Mapping[str, object]
) -> dict[str, Any]:
    """The columns of `slubench.schemas.IDENTITY`, which identify a run on each of its score rows.

    Args:
        planned: The run.
        adapter: Its adapter.
        answers: Its predictions; their report names engine, serving and seconds.
        metrics: See `slubench.pipeline.fingerprints.more_metrics`.
    """
    run = planned.run
    ledger, training, report = adapter.ledger, adapter.training, answers.report
    identity = {
        **known_of(planned),
        "run": run.name,
        "test_in": run.task.test_in,
        "speech_in": list(run.task.speech_in),
        "text_in": list(run.task.text_in),
        "strategy_digest": _digest_of(run, adapter) or None,
        "engine": f"{report['engine']} {report['version']}",
        "serving": report["serving"],
        "dtype": report.get("dtype"),
        "data_seed": run.data_seed,
        "train_seed": run.train_seed,
        "speech_share": ledger.clips_bought / ledger.clips_there if ledger.clips_there else 0.0,
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
    return identity | {"scores_fingerprint": scores_fingerprint(identity, metrics)}


def _digest_of(run: Run, adapter: Adapter) -> str:
    """SHA-256 of the strategy's file; that of one that learns nothing is its own, whichever asked first."""
    origin = Path(run.strategy_origin) if run.strategy_origin else None
    if run.strategy.stages or origin is None or not origin.is_file():
        return adapter.strategy_digest
    return hashlib.sha256(origin.read_bytes()).hexdigest()
