"""Makes a bundle of scored runs: replies and ids, no gold, no transcript, no speaker."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from slubench import __version__
from slubench.board.read.public import public_rows
from slubench.board.read.scores import read_file
from slubench.domain.prompt import OWN_ASKED
from slubench.domain.run import Run
from slubench.errors import DataError, MissingError, UsageError
from slubench.metrics import SCORER_VERSION
from slubench.pipeline.fingerprints import scores_fingerprint
from slubench.pipeline.predict import kept_folder
from slubench.pipeline.train import prepare
from slubench.registry.adapters import Adapter
from slubench.registry.static_read import Unreadable, read_strategy
from slubench.runtime.files import temporary_beside
from slubench.schemas import RULES, SCHEMA_VERSION
from slubench.submission.bundle.layout import (
    BUNDLE_VERSION,
    CARD,
    ENVIRONMENT,
    LESSONS,
    MANIFEST,
    REPLIES,
    REPORT,
    SCORES,
)
from slubench.submission.bundle.write import BundleWriter, environment, without_paths
from slubench.submission.context import Desk
from slubench.submission.kept_runs import KeptRun, find_kept
from slubench.submission.verify.example_ids import compare_ledgers, ids_of

if TYPE_CHECKING:
    import pyarrow as pa


def submit(names: Sequence[str], out: Path, desk: Desk, *, with_adapters: bool = False) -> list[KeptRun]:
    """Write a bundle of runs; its manifest is written last, and the folder appears whole or not at all.

    Args:
        names: See `slubench.submission.kept_runs.find_kept`.
        out: The folder to make.
        desk: Where runs, corpora and declarations are.
        with_adapters: Whether weights come along, which replaying needs.

    Returns:
        The runs that are in it.

    Raises:
        UsageError: The folder is there already, a name means nothing, or a run was scored by another version.
        MissingError: Something of a run is not kept any more.
        DataError: A run is not what its strategy and corpus give today.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(f"--to {out} is there already; name a folder that is not.")
    kept = find_kept(desk.home, names)
    out.parent.mkdir(parents=True, exist_ok=True)
    making = BundleWriter(temporary_beside(out.absolute()))
    making.folder.mkdir()
    try:
        for one in kept:
            desk.say(f"packing {one.row['run']}")
            _pack(one, making, desk, with_adapters)
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


def _pack(kept: KeptRun, making: BundleWriter, desk: Desk, with_adapters: bool) -> None:
    row = kept.row
    table = read_file(kept.path)
    if row["scorer_version"] != SCORER_VERSION:
        raise UsageError(
            f"{row['run']} was scored by version {row['scorer_version']} of the scorer, and this is"
            f" {SCORER_VERSION}. Score it again first: slubench rescore {row['run']}"
        )
    card = _card(kept, desk)
    strategy_file, text = _strategy_file(row["strategy"], card, desk)
    name = f"strategies/{row['strategy']}-{hashlib.sha256(text).hexdigest()[:8]}.py"
    run = _run(row, card, strategy_file, desk)
    lessons = _lessons(run, card, row, desk)
    report, replies = _replies(row, desk)
    # What the model itself heard in the test is near to its transcripts: that way of asking stays at home.
    import pyarrow.compute as pc

    table = public_rows(table.filter(pc.not_equal(table.column("asked"), OWN_ASKED)))
    fingerprint = scores_fingerprint(row["task"], row["answers_fingerprint"], SCORER_VERSION)
    for column, value in (
        ("tier", "claimed"),
        ("own_fingerprint", None),
        ("scores_fingerprint", fingerprint),
    ):
        table = _with(table, column, value)
    folder = f"runs/{row['run']}-{fingerprint[:8]}"
    making.write(name, text)
    making.write_json(f"{folder}/{CARD}", without_paths(asdict(card)))
    making.write_json(f"{folder}/{REPORT}", without_paths(report))
    making.write_table(f"{folder}/{SCORES}", table)
    making.write_table(f"{folder}/{REPLIES}", replies)
    making.write_table(f"{folder}/{LESSONS}", lessons)
    weights = _weights(card, making, desk) if with_adapters and card.sha256 else []
    making.runs.append({"folder": folder, "strategy": name, "weights": weights})


def _card(kept: KeptRun, desk: Desk) -> Adapter:
    fingerprint = str(kept.row["train_fingerprint"])
    for path in desk.home.adapters.glob(f"*-{fingerprint[:8]}.json"):
        card = Adapter.load(path)
        if card.fingerprint == fingerprint:
            return card
    raise MissingError(f"The card of {kept.row['run']} is not in {desk.home.adapters}; run it again.")


def _strategy_file(name: str, card: Adapter, desk: Desk) -> tuple[str, bytes]:
    """The path and content of the file that the strategy was trained from."""
    places = []
    job = desk.home.runs / card.stem / "train.json"
    if job.is_file():
        places.append(str(json.loads(job.read_text("utf-8"))["strategy"]))
    if name in desk.registry.strategies:
        places.append(desk.registry.origin(desk.registry.strategies[name]))
    for place in dict.fromkeys(places):
        path = Path(place)
        if path.is_file():
            text = path.read_bytes()
            # What learns nothing has the card of the model as it is, whichever strategy asked it first.
            if not card.sha256 or hashlib.sha256(text).hexdigest() == card.strategy_digest:
                try:
                    read_strategy(text.decode("utf-8"), name)
                except (Unreadable, UnicodeDecodeError) as error:
                    raise DataError(f"{path} can't be handed in: {error}") from None
                return str(path), text
    told = " or ".join(places) or "no file"
    raise MissingError(
        f"The file that {name} was trained from is not there any more (looked at {told}; SHA-256"
        f" {card.strategy_digest[:12] or 'unknown'}). Put it back, or run the changed strategy again."
    )


def _run(row: Mapping[str, Any], card: Adapter, file: str, desk: Desk) -> Run:
    strategies = desk.registry.strategies
    shelved = strategies.get(row["strategy"])
    if shelved is None or desk.registry.origin(shelved) != file:
        shelved = desk.registry.strategy(file)
    return desk.run_of(row, card, shelved, file)


def _lessons(run: Run, card: Adapter, row: Mapping[str, Any], desk: Desk) -> pa.Table:
    import pyarrow as pa

    from slubench.schemas import EXAMPLE_IDS

    planned = desk.plan(run, str(row["engine"]).partition(" ")[0])
    differing = [
        name
        for name, now in (("train", planned.trained), ("answers", planned.answered))
        if row[f"{name}_fingerprint"] != now
    ]
    if differing:
        raise DataError(
            f"{run.name} is not what its names give today ({' and '.join(differing)} fingerprint differ): its"
            " strategy, model, corpus or recipe has changed since. Run it again, then hand it in."
        )
    if not run.strategy.stages:
        return EXAMPLE_IDS.empty_table()
    bought, watched = desk.buy(planned)
    lessons, ledger = prepare(planned.run, bought, watched)
    unlike = [finding.message for finding in compare_ledgers(card.ledger, ledger, "")]
    if unlike:
        raise DataError(f"{run.name} composed again is not what was trained: {unlike[0]}. Run it again.")
    return pa.Table.from_pylist(ids_of(lessons, bought), schema=EXAMPLE_IDS)


def _replies(row: Mapping[str, Any], desk: Desk) -> tuple[dict[str, Any], pa.Table]:
    import pyarrow.parquet as pq

    from slubench import schemas as tables

    folder = kept_folder(desk.home, row["answers_fingerprint"])
    if folder is None:
        raise MissingError(
            f"The answers of {row['run']} are not kept in {desk.home.runs} (fingerprint"
            f" {row['answers_fingerprint'][:8]}). Run it again to ask the model anew."
        )
    report: dict[str, Any] = json.loads((folder / "report.json").read_text("utf-8"))
    table = pq.read_table(folder / "answers.parquet", columns=tables.REPLIES.names)
    return report, table.cast(tables.REPLIES)


def _weights(card: Adapter, making: BundleWriter, desk: Desk) -> list[str]:
    folder = card.folder(desk.home)
    listed = []
    for name in card.sha256:
        path = f"adapters/{card.stem}/{name}"
        source = folder / name if folder is not None else None
        if source is None or not source.is_file():
            raise MissingError(f"The weights of {card.stem} are not in {desk.home.adapters}; train it again.")
        if path not in making.files:
            making.copy(path, source)
        listed.append(path)
    return listed


def _with(table: pa.Table, column: str, value: str | None) -> pa.Table:
    import pyarrow as pa

    place = table.column_names.index(column)
    return table.set_column(place, table.schema.field(place), pa.array([value] * len(table), pa.string()))
