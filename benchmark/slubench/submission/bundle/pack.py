"""Packs scored runs into a bundle: replies and ids, without gold labels, transcripts and speakers."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from slubench import __version__
from slubench.board.read.public import public_rows
from slubench.board.read.scores import read_file
from slubench.domain.prompt import ASR_INPUT
from slubench.domain.run import Run
from slubench.errors import DataError, DeclarationError, MissingError, UsageError
from slubench.metrics import SCORER_VERSION, shipped
from slubench.pipeline.buy import buy_and_hold_out
from slubench.pipeline.context import Context
from slubench.pipeline.fingerprints import more_metrics, scores_fingerprint
from slubench.pipeline.kept_predictions import kept_folder, read_kept
from slubench.pipeline.train import predictor_of, prepare, speaker_of
from slubench.registry import strategy_in
from slubench.registry.adapters import Adapter, find_card
from slubench.registry.static_read import Unreadable, read_strategy
from slubench.registry.strategy_fingerprint import strategy_fingerprint
from slubench.runtime.files import temporary_beside
from slubench.runtime.redaction import redacted
from slubench.schemas import RULES, SCHEMA_VERSION
from slubench.submission.bundle.layout import (
    BUNDLE_VERSION,
    CARD,
    ENVIRONMENT,
    EXAMPLES_FILE,
    MANIFEST,
    REPLIES,
    REPORT,
    SCORES,
)
from slubench.submission.bundle.write import BundleWriter, environment
from slubench.submission.kept_runs import KeptRun, find_kept
from slubench.submission.published_fields import known_report, public_content
from slubench.submission.run_of_row import plan_row, run_of_row
from slubench.submission.verify.example_ids import compare_ledgers, ids_of

if TYPE_CHECKING:
    import pyarrow as pa


def submit(
    names: Sequence[str], out: Path, context: Context, *, with_adapters: bool = False
) -> list[KeptRun]:
    """Write a bundle of runs atomically, with the manifest last.

    Args:
        names: See `slubench.submission.kept_runs.find_kept`.
        out: The folder to make.
        context: Where runs, corpora and declarations are.
        with_adapters: Whether weights come along, which replaying needs.

    Returns:
        The runs that are in it.

    Raises:
        UsageError: The folder is there already, a name means nothing, or a run was scored by another version.
        MissingError: Something of a run is not kept any more.
        DataError: A run is not what its strategy and corpus give today.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(f"--to {out} already exists; give a new folder.")
    kept = find_kept(context.home, names)
    out.parent.mkdir(parents=True, exist_ok=True)
    making = BundleWriter(temporary_beside(out.absolute()))
    making.folder.mkdir()
    try:
        for one in kept:
            context.say(f"packing {one.row['run']}")
            _pack(one, making, context, with_adapters)
        making.write_json(ENVIRONMENT, environment())
        versions = {"bundle": BUNDLE_VERSION, "slubench": __version__, "rules": RULES}
        versions |= {"schema_version": SCHEMA_VERSION, "scorer_version": SCORER_VERSION}
        making.write_json(
            MANIFEST, versions | {"runs": making.runs, "files": dict(sorted(making.files.items()))}
        )
        making.folder.rename(out)
    finally:
        shutil.rmtree(making.folder, ignore_errors=True)
    return kept


def _pack(kept: KeptRun, making: BundleWriter, context: Context, with_adapters: bool) -> None:
    row = kept.row
    table = read_file(kept.path)
    if row["scorer_version"] != SCORER_VERSION:
        raise UsageError(
            f"{row['run']} was scored by scorer version {row['scorer_version']}, the current "
            f"version is {SCORER_VERSION}. Score it again first: slubench rescore {row['run']}"
        )
    if row["schema_version"] != SCHEMA_VERSION:
        raise UsageError(
            f"{row['run']} has scores of schema version {row['schema_version']}, and this is"
            f" {SCHEMA_VERSION}. Score it again first: slubench rescore {row['run']}"
        )
    card = _card(kept, context)
    strategy_file, text = _strategy_file(row["strategy"], card, context)
    name = f"strategies/{row['strategy']}-{hashlib.sha256(text).hexdigest()[:8]}.py"
    run = _run(row, card, strategy_file, context)
    train_set = _examples(run, card, row, context)
    report, replies = _replies(row, context)
    import pyarrow as pa
    import pyarrow.compute as pc

    # The model's own transcripts of the test are close to gold: their scores stay at home. So do metrics that
    # only this machine has.
    everyones = pc.is_in(table.column("metric"), pa.array(list(shipped())))
    handed = pc.and_(pc.not_equal(table.column("input"), ASR_INPUT), everyones)
    table = public_rows(table.filter(handed))
    more = more_metrics(context.registry.task(row["task"]))
    fingerprint = scores_fingerprint({**row, "asr_fingerprint": None}, more)
    for column, value in (
        ("tier", "claimed"),
        ("asr_fingerprint", None),
        ("scores_fingerprint", fingerprint),
    ):
        table = _with(table, column, value)
    folder = f"runs/{row['run']}-{fingerprint[:8]}"
    making.write(name, text)
    making.write_json(f"{folder}/{CARD}", public_content(card))
    making.write_json(f"{folder}/{REPORT}", known_report(redacted(report)))
    making.write_table(f"{folder}/{SCORES}", table)
    making.write_table(f"{folder}/{REPLIES}", replies)
    making.write_table(f"{folder}/{EXAMPLES_FILE}", train_set)
    weights = _weights(card, making, context) if with_adapters and card.sha256 else []
    making.runs.append({"folder": folder, "strategy": name, "weights": weights})


def _card(kept: KeptRun, context: Context) -> Adapter:
    card = find_card(context.home, str(kept.row["train_fingerprint"]))
    if card is None:
        raise MissingError(
            f"The card of {kept.row['run']} is not in {context.home.adapters}; run the command again."
        )
    return card


def _strategy_file(name: str, card: Adapter, context: Context) -> tuple[str, bytes]:
    """The path and content of the file that the strategy was trained from."""
    places = []
    job = context.home.runs / card.stem / "train.json"
    # Where the job is damaged, the strategy's declared file is tried; its digest stands on the card.
    with suppress(OSError, ValueError, TypeError, KeyError):
        places.append(str(json.loads(job.read_text("utf-8"))["strategy"]))
    if name in context.registry.strategies:
        places.append(context.registry.origin(context.registry.strategies[name]))
    for place in dict.fromkeys(places):
        path = Path(place)
        if path.is_file():
            text = path.read_bytes()
            # What learns nothing has the card of the model as it is, whichever strategy asked it first.
            if not card.sha256 or hashlib.sha256(text).hexdigest() == card.strategy_digest:
                _same_when_read(path, text, name, context)
                return str(path), text
    told = " or ".join(places) or "no file"
    raise MissingError(
        f"The file that {name} was trained from was not found (looked at {told}; SHA-256"
        f" {card.strategy_digest[:12] or 'unknown'}). Put it back, or run the changed strategy again."
    )


def _same_when_read(path: Path, text: bytes, name: str, context: Context) -> None:
    """Check that reading a file without running it, as in verification, gives the same as running it.

    Raises:
        DataError: It does not.
    """
    try:
        read = strategy_fingerprint(read_strategy(text.decode("utf-8"), name))
    except (Unreadable, UnicodeDecodeError, DeclarationError) as error:
        raise DataError(f"{path} cannot be submitted: {error}") from None
    shelved = context.registry.strategies.get(name)
    run = (
        shelved
        if shelved is not None and context.registry.origin(shelved) == str(path)
        else strategy_in(path)
    )
    if read != strategy_fingerprint(run):
        raise DataError(
            f"{path} cannot be submitted: reading it without running gives a different {name} than running"
            " it. Write Strategy(...) and Stage(...) out at its top level, and everything that their"
            " functions need into the file itself."
        )


def _run(row: Mapping[str, Any], card: Adapter, file: str, context: Context) -> Run:
    strategies = context.registry.strategies
    shelved = strategies.get(row["strategy"])
    if shelved is None or context.registry.origin(shelved) != file:
        shelved = context.registry.strategy(file)
    return run_of_row(row, card, shelved, context, file)


def _examples(run: Run, card: Adapter, row: Mapping[str, Any], context: Context) -> pa.Table:
    import pyarrow as pa

    from slubench.schemas import EXAMPLE_IDS

    planned = plan_row(run, row, context)
    differing = [
        name
        for name, now in (("train", planned.trained), ("answers", planned.answered))
        if row[f"{name}_fingerprint"] != now
    ]
    if differing:
        raise DataError(
            f"{run.name} no longer matches its declarations ({' and '.join(differing)} fingerprint "
            "differ): its strategy, model, corpus or recipe has changed. Run it again, then "
            "submit it."
        )
    if not run.strategy.stages:
        return EXAMPLE_IDS.empty_table()
    bought, watched = buy_and_hold_out(planned, context)
    predictor = predictor_of(planned, bought, context)
    speaker = speaker_of(bought, context)
    train_set, ledger = prepare(planned.run, bought, watched, predictor, speaker)
    unlike = [finding.message for finding in compare_ledgers(card.ledger, ledger, "")]
    if unlike:
        raise DataError(
            f"Composing {run.name} again gives a different training set: {unlike[0]}. Run it again."
        )
    return pa.Table.from_pylist(ids_of(train_set, bought), schema=EXAMPLE_IDS)


def _replies(row: Mapping[str, Any], context: Context) -> tuple[dict[str, Any], pa.Table]:
    import pyarrow.parquet as pq

    from slubench import schemas as tables

    folder = kept_folder(context.home, row["answers_fingerprint"])
    if folder is None:
        raise MissingError(
            f"The predictions of {row['run']} were not found in {context.home.runs} (fingerprint"
            f" {row['answers_fingerprint'][:8]}). Run it again."
        )
    report = read_kept(folder, str(row["answers_fingerprint"])).report
    table = tables.carried_over(pq.read_table(folder / "answers.parquet"), tables.REPLIES)
    return report, table.select(tables.REPLIES.names).cast(tables.REPLIES)


def _weights(card: Adapter, making: BundleWriter, context: Context) -> list[str]:
    folder = card.folder(context.home)
    listed = []
    for name in card.sha256:
        path = f"adapters/{card.stem}/{name}"
        source = folder / name if folder is not None else None
        if source is None or not source.is_file():
            raise MissingError(
                f"The weights of {card.stem} were not found in {context.home.adapters}; run it again to"
                " train the adapter."
            )
        if path not in making.files:
            making.copy(path, source)
        listed.append(path)
    return listed


def _with(table: pa.Table, column: str, value: str | None) -> pa.Table:
    import pyarrow as pa

    place = table.column_names.index(column)
    return table.set_column(place, table.schema.field(place), pa.array([value] * len(table), pa.string()))
