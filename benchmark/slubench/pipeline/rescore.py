"""Scores existing predictions again with this version's scorer; no model is loaded."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from slubench.data.editions import EDITIONS
from slubench.data.source import SplitFiles
from slubench.data.splits import find_pools, find_test
from slubench.domain.budget import Budget
from slubench.domain.renamed_columns import COLUMNS
from slubench.domain.run import limit_of
from slubench.domain.selection import renamed
from slubench.errors import DataError, MissingError, unknown
from slubench.metrics import SCORER_VERSION
from slubench.pipeline.context import Context
from slubench.pipeline.fingerprints import more_metrics, scores_fingerprint
from slubench.pipeline.kept_predictions import Predictions, kept_folder, read_kept
from slubench.pipeline.score import heard_in, metrics_for, write_scores
from slubench.registry.adapters import find_card
from slubench.registry.strategy_fingerprint import fingerprint_of_file, strategy_fingerprint
from slubench.runtime.home import Home
from slubench.schemas import IDENTITY, RULES, SCHEMA_VERSION
from slubench.scoring.record import Origin, kept_source
from slubench.scoring.sidecars import remove_scores


class Rescored(NamedTuple):
    """A rescored run.

    Attributes:
        run: Its name.
        scores: The new file of scores; the old one is gone.
        before: Version of the scorer that had made the old ones.
        after: Version that made the new ones.
    """

    run: str
    scores: Path
    before: str
    after: str


def rescore_runs(names: Sequence[str], context: Context) -> list[Rescored]:
    """Score existing predictions again.

    Args:
        names: Names of scored runs; none for all of them.
        context: Where scores, predictions and corpora are.

    Raises:
        UsageError: A name is of no scored run.
        MissingError: Predictions that were scored are not kept any more.
        DataError: A file of scores cannot be read, or the corpus is not the one that was predicted.
    """
    home = context.home
    kept = {path: read_identity(path) for path in sorted(home.scores.glob("*.parquet"))}
    known = {str(row["run"]) for row in kept.values()}
    for name in names:
        if name not in known:
            raise unknown("scored run", name, known)
    wanted = {path: row for path, row in kept.items() if not names or row["run"] in names}
    if not wanted:
        raise MissingError(f"There are no scores in {home.scores}.")
    done: dict[Path, Rescored] = {}
    for path, row in wanted.items():
        context.say(f"scoring {row['run']} again")
        made = _rescore(path, row, context)
        done[made] = Rescored(str(row["run"]), made, str(row["scorer_version"]), SCORER_VERSION)
    return list(done.values())


def _rescore(path: Path, row: Mapping[str, Any], context: Context) -> Path:
    test, pools = _corpus(row, context)
    if test.revision != row["corpus_revision"]:
        raise DataError(
            f"{path}: the predictions are for revision {row['corpus_revision']} of {test}, but "
            f"{test.revision} was found. Use --corpora DIR to name the right mirror."
        )
    own = row.get("asr_fingerprint")
    answered = [str(one) for one in (row["answers_fingerprint"], own) if one is not None]
    task = context.registry.task(str(row["task"]))
    origin, source = _origin(path, row, context)
    identity = {
        **dict.fromkeys(name for name, _ in IDENTITY),
        **row,
        **source,
        "asr_fingerprint": own,
        "schema_version": SCHEMA_VERSION,
        "rules": RULES,
        "scorer_version": SCORER_VERSION,
    }
    if identity["model_weights"] is None and origin.adapter is not None:
        identity["model_weights"] = origin.adapter.weights or None
    more = more_metrics(task, context.home.root)
    identity["scores_fingerprint"] = scores_fingerprint(identity, more)
    predictions = [_predictions(path, one, context.home) for one in answered]
    pools = pools if row["updates"] else ()
    metrics = metrics_for(task, context.registry.metrics)
    heard = heard_in(context.home, origin.adapter)
    written = write_scores(identity, predictions, test, pools, context.home, origin, metrics, heard)
    if path != written:
        remove_scores(path)
    return written


def _origin(path: Path, row: Mapping[str, Any], context: Context) -> tuple[Origin, dict[str, Any]]:
    """Where a run came from, and what identifies its strategy as far as that is told or follows.

    The strategy's file is the one that the run was made from: where the one of today is another, the text
    that the record keeps.
    """
    name = str(row["strategy"])
    card = find_card(context.home, str(row["train_fingerprint"]))
    gold_shown = EDITIONS[str(row["edition"])].gold_shown
    kept = kept_source(path)
    told = (
        row.get("strategy_digest") or (kept.sha256 if kept else "") or (card.strategy_digest if card else "")
    )
    named = context.registry.strategies.get(name)
    file = Path(context.registry.origin(named)) if named is not None else None
    of_today = file is not None and file.is_file() and hashlib.sha256(file.read_bytes()).hexdigest() == told
    found = row.get("strategy_fingerprint")
    if found is None and of_today and named is not None:
        found = strategy_fingerprint(named)
    if found is None and kept is not None:
        found = fingerprint_of_file(kept.source, name, kept.sha256)
    origin = str(file) if file is not None and (of_today or kept is None) else ""
    source = {"strategy_digest": told or None, "strategy_fingerprint": found}
    return Origin(card, origin, gold_shown, None if of_today else kept), source


def _corpus(row: Mapping[str, Any], context: Context) -> tuple[SplitFiles, tuple[SplitFiles, ...]]:
    edition, task, speech, target = (str(row[name]) for name in ("edition", "task", "speech", "target"))
    limit = limit_of(str(row.get("ruleset", "")))
    named, source = context.registry.task(task), context.source(edition, limit)
    budget = replace(Budget.parse(speech), target=target)
    key = ("corpus", edition, task, speech, target, limit)
    return context.once(key, lambda: (find_test(named, source), find_pools(named, source, budget)))


def _predictions(path: Path, fingerprint: str, home: Home) -> Predictions:
    folder = kept_folder(home, fingerprint)
    if folder is not None:
        return read_kept(folder, fingerprint)
    raise MissingError(
        f"The predictions behind {path} were not found in {home.runs} (fingerprint {fingerprint[:8]}). Run"
        " it again to predict again."
    )


def read_identity(path: Path) -> dict[str, Any]:
    """The first row of a score file, which identifies its run.

    Columns that an earlier version did not have are left out.

    Raises:
        DataError: The file is no file of scores.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    from slubench import schemas

    try:
        file = pq.ParquetFile(path)
        known = {name for name, _ in IDENTITY} | COLUMNS.keys()
        names = [name for name in file.schema_arrow.names if name in known]
        table = file.schema_arrow.empty_table().select(names)
        if file.num_row_groups:
            table = file.read_row_group(0, columns=names).slice(0, 1)
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{path} is not a readable score file ({error}). Remove it.") from None
    schemas.check_version(table, path)
    try:
        table = schemas.carried_over(table, schemas.SCORES)
    except (KeyError, pa.ArrowException) as error:
        raise DataError(f"{path} is not a score file ({error}). Remove it.") from None
    needed = {"run", "task", "edition", "answers_fingerprint", "scorer_version", "corpus_revision", "updates"}
    lacking = needed | {"speech", "target"}
    lacking -= set(table.column_names)
    if not len(table) or lacking:
        raise DataError(f"{path} is not a score file: it lacks {', '.join(sorted(lacking)) or 'rows'}.")
    row: dict[str, Any] = table.drop_columns(list({"input"} & set(table.column_names))).to_pylist()[0]
    return row | {"ruleset": renamed(row["ruleset"])} if "ruleset" in row else row
