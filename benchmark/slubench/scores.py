"""Scores: a Parquet row a measure and slice, and beside it the sums per cluster they come from."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from slubench.adapter import Adapter, stem
from slubench.answering import Answers
from slubench.answers import ASKED
from slubench.corpora.rows import read_rows
from slubench.corpora.source import Shards
from slubench.errors import DataError
from slubench.files import replacing
from slubench.home import Home
from slubench.metrics import SCORER_VERSION
from slubench.parts import Part, write_parts
from slubench.run import RULES, SCHEMA_VERSION, Run
from slubench.utterance import Utterance

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["SCORER_VERSION", "find_scores", "score"]


def find_scores(home: Home, fingerprint: str) -> Path | None:
    """The scores of that fingerprint, if they are there."""
    import pyarrow.parquet as pq

    for path in home.scores.glob(f"*-{fingerprint[:8]}.parquet"):
        if pq.read_table(path, columns=["scores_fingerprint"]).column(0)[0].as_py() == fingerprint:
            return path
    return None


def score(
    run: Run,
    adapter: Adapter,
    answers: Answers,
    test: Shards,
    pools: Sequence[Shards],
    fingerprint: str,
    home: Home,
) -> Path:
    """Join answers with gold, measure them, and write the scores.

    Every measure stands there twice: `normalised` (both sides in NFC, lower case, white space folded;
    ranked) and as published (SLURP's scorer).

    Args:
        run: The run.
        adapter: What it trained.
        answers: What it answered.
        test: Where gold is.
        pools: What was learnt from, for slices of seen and unseen sentences and speakers.
        fingerprint: The scores' fingerprint.
        home: Where they are written.

    Returns:
        The Parquet file, see `slubench.tables.SCORES`.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    from slubench.metrics.bootstrap import cluster_sums
    from slubench.metrics.tally import normalise, tally_all
    from slubench.tables import SCORES

    gold = {utterance.key: utterance for utterance in read_rows(test).utterances}
    seen = _seen(pools)
    identity = _identity(run, adapter, answers, test, fingerprint)
    rows: list[dict[str, Any]] = []
    sums: list[Part] = []
    for asked in ASKED:
        replies = [answer for answer in answers.rows if answer.asked == asked]
        utterances = [_gold(gold, answer.utterance, answers.file) for answer in replies]
        for normalised in (True, False):
            meant = [u.meaning for u in utterances]
            read = [answer.meaning for answer in replies]
            if normalised:
                meant = [normalise(meaning) for meaning in meant]
                read = [normalise(meaning) if meaning else None for meaning in read]
            counts = tally_all(meant, read)
            for (by, name), members in _slices(utterances, seen).items():
                sentences = [utterances[n].id for n in members]
                if normalised or by == "all":
                    clusters = cluster_sums(counts[members], sentences)
                    sums.append(Part(asked, by, name, normalised, clusters))
                for measured in _measured(counts[members], sentences):
                    rows.append(
                        identity
                        | {"asked": asked, "slice_by": by, "slice": name, "normalised": normalised}
                        | measured
                    )
    name = f"{stem(run.name, fingerprint)}.parquet"
    write_parts(home.scores, name, fingerprint, sums)
    path = home.scores / name
    with replacing(path) as temporary:
        pq.write_table(pa.Table.from_pylist(rows, schema=SCORES), temporary, compression="zstd")
    return path


def _measured(counts: NDArray[Any], sentences: Sequence[str]) -> Iterator[dict[str, Any]]:
    from slubench.metrics.bootstrap import cluster_sums, percentile_interval, replicate
    from slubench.metrics.measures import measure

    clusters = cluster_sums(counts, sentences)
    values, replicates = measure(clusters.total), measure(replicate(clusters))
    for metric, value in values.items():
        low, high = percentile_interval(replicates[metric])
        yield {
            "metric": metric,
            "value": float(value),
            "low": low,
            "high": high,
            "n": len(counts),
            "clusters": len(clusters.sums),
        }


def _seen(pools: Sequence[Shards]) -> tuple[set[str], set[str]]:
    """Sentences and speakers of the training pools."""
    rows = [utterance for shards in pools for utterance in read_rows(shards).utterances]
    return {u.text for u in rows}, {u.speaker for u in rows if u.speaker is not None}


def _slices(
    utterances: Sequence[Utterance], seen: tuple[set[str], set[str]]
) -> dict[tuple[str, str], list[int]]:
    """The numbers of the utterances in each slice: all, the corpus's columns, entities, seen or not."""
    sentences, speakers = seen
    members: dict[tuple[str, str], list[int]] = {("all", "all"): []}
    for number, utterance in enumerate(utterances):
        columns = dict(utterance.slices)
        columns["entities"] = "some" if utterance.meaning.entities else "none"
        if sentences:
            columns["sentence"] = "seen" if utterance.text in sentences else "unseen"
        if speakers and utterance.speaker is not None:
            columns["speaker"] = "seen" if utterance.speaker in speakers else "unseen"
        members["all", "all"].append(number)
        for by, name in columns.items():
            members.setdefault((by, name), []).append(number)
    return members


def _gold(gold: Mapping[str, Utterance], key: str, file: Path) -> Utterance:
    if key not in gold:
        raise DataError(f"{file}: utterance {key} is not in the test; these are answers to another corpus.")
    return gold[key]


def _identity(run: Run, adapter: Adapter, answers: Answers, test: Shards, fingerprint: str) -> dict[str, Any]:
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
        "data_track": run.strategy.track,
        "ruleset": run.ruleset,
        "engine": f"{report['engine']} {report['version']}",
        "serving": report["serving"],
        "data_seed": run.data_seed,
        "train_seed": run.train_seed,
        "speech": str(run.spends),
        "speech_share": ledger.clips_bought / ledger.clips_there if ledger.clips_there else 0.0,
        "target": "none",
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
