"""Publishes runs: copies their scores and cards to the tracked folders of a checkout."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from slubench import schemas
from slubench.board.read.open_parquet import open_table
from slubench.board.read.public import public_rows
from slubench.data.editions import EDITIONS
from slubench.domain.run import limit_of
from slubench.errors import DataError, UsageError, unknown
from slubench.pipeline.rescore import read_identity
from slubench.registry.adapters import Adapter
from slubench.runtime.home import RECORDS, REPLICATES, SUMS, Home, beside
from slubench.submission.publish.cards import write_public_card
from slubench.submission.publish.one_act import Publication, check_target, publishing
from slubench.submission.publish.public_records import public_record
from slubench.submission.run_of_row import refuse_smoke_run

if TYPE_CHECKING:
    import pyarrow as pa


def _silent(line: str) -> None:
    pass


def publish_runs(
    home: Home, names: Sequence[str], everything: bool, say: Callable[[str], None] = _silent
) -> list[Path]:
    """Copy scores to `leaderboard/published/` and cards to `adapters_registry/published/`.

    A card is rid of the paths of this machine, and its curve is thinned.

    Args:
        home: A checkout.
        names: Names of trained runs (stems of cards).
        everything: All that is scored, in place of names.
        say: Told what is waited for, or completed.

    Returns:
        The files written.

    Raises:
        UsageError: HOME is no checkout, nothing is named, or a name is unknown.
        DataError: A card or scores cannot be read.
    """
    check_target(home)
    if not names and not everything:
        raise UsageError("Name the runs to publish (see `slubench list runs`), or use --all.")
    cards = {path.stem: path for path in sorted(home.adapters.glob("*.json"))}
    for name in names:
        if name not in cards:
            raise unknown("run", name, cards, "`slubench list runs` shows all runs.")
    wanted = {name: cards[name] for name in (cards if everything else names)}
    ready = {path: Adapter.load(path) for path in wanted.values()}
    for path, card in list(ready.items()):
        if not limit_of(card.ruleset):
            continue
        if not everything:
            refuse_smoke_run({"run": card.stem, "ruleset": card.ruleset})
        say(f"left out: {card.stem}, a smoke run (--limit)")
        del ready[path]
    trained = {card.fingerprint for card in ready.values()}
    scored = [
        path
        for path in sorted(home.scores.glob("*.parquet"))
        if read_identity(path).get("train_fingerprint") in trained
    ]
    with publishing(home, say) as publication:
        for path in scored:
            copy_scores(path, home.root / "leaderboard" / "published" / path.name, publication)
        for path, card in ready.items():
            target = home.root / "adapters_registry" / "published" / path.name
            write_public_card(card, publication.stage(target))
    return list(publication.targets.values())


def copy_scores(source: Path, target: Path, publication: Publication, tier: str | None = None) -> None:
    """Stage a copy of the public part of scores and of the files beside them.

    Sums by sentence are those of the whole test: of a slice they would tell which sentence is in it, and so
    its gold intent or its speaker. Of an edition whose gold may be shown those of public slices come along.

    Args:
        source: A score file.
        target: Its copy.
        publication: Where it is staged.
        tier: What the copy's rows rest on, in place of what the source's say.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = public_rows(_read(source, schemas.SCORES))
    if tier is not None:
        place = table.column_names.index("tier")
        table = table.set_column(place, table.schema.field("tier"), pa.array([tier] * len(table)))
    copies = {target: table}
    if (sums := beside(source, SUMS)).exists():
        part = _read(sums, schemas.SUMS)
        places = zip(part.column("slice_by").to_pylist(), part.column("slice").to_pylist(), strict=True)
        shown = _slices_shown(table)
        part = part.filter(pa.array([place in shown for place in places]))
        copies[beside(target, SUMS)] = part if _gold_shown(table) else _without_speakers(part)
    for kind, schema in ((REPLICATES, schemas.REPLICATES), (RECORDS, schemas.RECORDS)):
        if (part := beside(source, kind)).exists():
            rows = _read(part, schema)
            copies[beside(target, kind)] = public_record(rows) if kind == RECORDS else rows
    for path, kept in copies.items():
        pq.write_table(kept, publication.stage(path), compression="zstd")


def _read(path: Path, schema: pa.Schema) -> pa.Table:
    """A file as it was written, seen to be of a schema."""
    found = open_table(path, schema)
    if isinstance(found, str):
        raise DataError(f"{path} can't be published: {found}. Make the scores again: `slubench rescore`.")
    import pyarrow.parquet as pq

    return pq.read_table(path)


def _slices_shown(scores: pa.Table) -> set[tuple[str, str]]:
    """The slices whose sums by sentence may be public, by column and value."""
    every = {(row["slice_by"], row["slice"]) for row in scores.select(["slice_by", "slice"]).to_pylist()}
    return every if _gold_shown(scores) else {place for place in every if place[0] == "all"}


def _gold_shown(scores: pa.Table) -> bool:
    editions = set(scores.column("edition").unique().to_pylist())
    return all(name in EDITIONS and EDITIONS[name].gold_shown for name in editions)


def _without_speakers(sums: pa.Table) -> pa.Table:
    """Sums by sentence only, since speakers belong to the corpus and are not published."""
    import numpy as np
    import pyarrow as pa

    if "speaker" not in sums.column_names:
        return sums
    names = [name for name in sums.column_names if name not in ("speaker", "counts")]
    summed: dict[tuple[object, ...], Any] = {}
    rows = zip(*(sums.column(name).to_pylist() for name in (*names, "counts")), strict=True)
    for *place, counts in rows:
        key = tuple(place)
        summed[key] = summed.get(key, 0.0) + np.array(counts)
    merged = [
        dict(zip(names, key, strict=True)) | {"speaker": None, "counts": counts.tolist()}
        for key, counts in summed.items()
    ]
    return pa.Table.from_pylist(merged, schema=sums.schema)
