"""Scores: a Parquet row a measure and slice; beside it the sums they come from, and the run's record."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from glob import escape
from pathlib import Path
from typing import Any

from slubench.data.editions import EDITIONS
from slubench.data.rows import read_rows
from slubench.data.source import SplitFiles
from slubench.domain.run import Run
from slubench.errors import DataError
from slubench.metrics import SCORER_VERSION
from slubench.pipeline.predict import Predictions
from slubench.registry.adapters import Adapter, stem
from slubench.runtime.files import replacing
from slubench.runtime.home import Home
from slubench.schemas import RULES, SCHEMA_VERSION
from slubench.scoring.complete import incomplete
from slubench.scoring.predictions import ASKED
from slubench.scoring.record import Origin, write_record
from slubench.scoring.sidecars import remove_scores, write_parts
from slubench.scoring.whole import whole_scores

__all__ = ["SCORER_VERSION", "find_scores", "identify", "score", "write_scores"]


def find_scores(home: Home, fingerprint: str) -> Path | None:
    """The scores of that fingerprint, if they are there and whole; others are made again.

    Raises:
        DataError: They were written by a newer version.
    """
    for path in home.scores.glob(f"*-{fingerprint[:8]}.parquet"):
        if whole_scores(path, fingerprint):
            return path
    return None


def score(
    run: Run,
    adapter: Adapter,
    answers: Predictions,
    test: SplitFiles,
    pools: Sequence[SplitFiles],
    fingerprint: str,
    home: Home,
    own: Predictions | None = None,
) -> Path:
    """Join answers with gold, measure them, and write the scores.

    Args:
        run: The run.
        adapter: What it trained.
        answers: What it answered to recordings and gold transcripts.
        test: Where gold is.
        pools: What was learnt from, for slices of seen and unseen sentences and speakers.
        fingerprint: The scores' fingerprint.
        home: Where they are written.
        own: What it answered to the model's own transcripts, where they were asked.

    Returns:
        The Parquet file, see `slubench.schemas.SCORES`.
    """
    identity = identify(run, adapter, answers, test, fingerprint)
    identity["own_fingerprint"] = own.fingerprint if own is not None else None
    origin = Origin(adapter, run.strategy_origin, EDITIONS[run.edition].gold_shown)
    every = [answers] if own is None else [answers, own]
    return write_scores(identity, every, test, pools, home, origin)


def write_scores(
    identity: Mapping[str, Any],
    answers: Sequence[Predictions],
    test: SplitFiles,
    pools: Sequence[SplitFiles],
    home: Home,
    origin: Origin,
) -> Path:
    """Score answers as those of a run that is identified already.

    Args:
        identity: By the names of `slubench.schemas.IDENTITY`.
        answers: In every way that was asked.
        test: Where gold is.
        pools: What was learnt from.
        home: Where they are written; scores of the same run and answers under another fingerprint, made by
            another scorer or before it was asked in one way more, make place for them.
        origin: Where the run came from, for its record.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    from slubench.schemas import SCORES
    from slubench.scoring.record import samples_of
    from slubench.scoring.score import score_answers

    keys = [utterance.key for utterance in read_rows(test).utterances]
    for part in answers:
        if fault := incomplete(part.rows, keys, {row.asked for row in part.rows} or ASKED):
            raise DataError(f"{part.file}: {fault}. Delete it and run the same command again.")
    every = [answer for part in answers for answer in part.rows]
    scored = score_answers(every, test, pools, answers[0].file)
    rows = [{**identity, **row} for row in scored.rows]
    fingerprint = str(identity["scores_fingerprint"])
    name = f"{stem(identity['run'], fingerprint)}.parquet"
    write_parts(home.scores, name, fingerprint, scored.parts)
    path = home.scores / name
    reports = {"+".join(dict.fromkeys(one.asked for one in part.rows)): part.report for part in answers}
    samples = samples_of(every, scored.gold, gold_shown=origin.gold_shown)
    write_record(path, identity, origin, reports, samples)
    with replacing(path) as temporary:
        pq.write_table(pa.Table.from_pylist(rows, schema=SCORES), temporary, compression="zstd")
    for other in superseded(home, path, identity):
        remove_scores(other)
    return path


def superseded(home: Home, path: Path, identity: Mapping[str, Any]) -> list[Path]:
    """Other score files of the same run and answers."""
    import pyarrow as pa
    import pyarrow.parquet as pq

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


def identify(
    run: Run, adapter: Adapter, answers: Predictions, test: SplitFiles, fingerprint: str
) -> dict[str, Any]:
    """What identifies a run on each of its score rows, by the names of `slubench.schemas.IDENTITY`.

    Args:
        run: The run.
        adapter: What it trained.
        answers: What it answered; their report tells engine, serving and seconds.
        test: What was asked.
        fingerprint: The scores' fingerprint.
    """
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
        "corpus_revision": test.revision,
        "task": run.task.name,
        "test_in": run.task.test_in,
        "speech_in": list(run.task.speech_in),
        "text_in": list(run.task.text_in),
        "strategy": run.strategy.name,
        "model": run.model.name,
        "track": run.track,
        "data_track": run.data_track,
        "ruleset": run.rules,
        "engine": f"{report['engine']} {report['version']}",
        "serving": report["serving"],
        "data_seed": run.data_seed,
        "train_seed": run.train_seed,
        "speech": str(run.spends),
        "speech_share": ledger.clips_bought / ledger.clips_there if ledger.clips_there else 0.0,
        "target": run.spends.target,
        "clips_bought": ledger.clips_bought,
        "clips_unique": sum(ledger.clips_unique.values()),
        "clips_heard": sum(ledger.clips_heard.values()),
        "minutes_bought": ledger.minutes_bought,
        "minutes_heard": sum(ledger.minutes_heard.values()),
        "text_rows": sum(ledger.text_read.values()),
        "updates": sum(ledger.updates),
        "flops": float(training.get("flops", 0.0)),
        "train_seconds": float(training.get("seconds", 0.0)),
        "answer_seconds": float(report.get("seconds", 0.0)),
        "tier": "local",
        "created": datetime.datetime.now(datetime.UTC),
    }
