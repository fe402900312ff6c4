"""Publishes runs: copies their scores and cards to the tracked folders of a checkout."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from slubench._checkout import is_checkout
from slubench.board.read.public import public_rows
from slubench.data.editions import EDITIONS
from slubench.errors import UsageError, unknown
from slubench.registry.adapters import Adapter
from slubench.runtime.files import replacing
from slubench.runtime.home import RECORDS, REPLICATES, SUMS, Home, beside
from slubench.submission.publish.cards import write_public_card

if TYPE_CHECKING:
    import pyarrow as pa


def publish_runs(home: Home, names: Sequence[str], everything: bool) -> list[Path]:
    """Copy scores to `leaderboard/published/` and cards to `adapters_registry/published/`.

    A card is rid of the paths of this machine, and its curve is thinned.

    Args:
        home: A checkout.
        names: Names of trained runs (stems of cards).
        everything: All that is scored, in place of names.

    Returns:
        The files written.

    Raises:
        UsageError: HOME is no checkout, nothing is named, or a name is unknown.
    """
    import pyarrow.parquet as pq

    if not is_checkout(home.root):
        raise UsageError(f"{home.root} is not a checkout of slubench; results are published in a checkout.")
    if not names and not everything:
        raise UsageError("Name the runs to publish (see `slubench list runs`), or use --all.")
    cards = {path.stem: path for path in sorted(home.adapters.glob("*.json"))}
    for name in names:
        if name not in cards:
            raise unknown("run", name, cards, "`slubench list runs` shows all runs.")
    wanted = {name: cards[name] for name in (cards if everything else names)}
    trained = {json.loads(path.read_text("utf-8"))["fingerprint"] for path in wanted.values()}
    written = []
    for path in sorted(home.scores.glob("*.parquet")):
        if pq.read_table(path, columns=["train_fingerprint"]).column(0)[0].as_py() in trained:
            written += copy_scores(path, home.root / "leaderboard" / "published" / path.name)
    for path in wanted.values():
        target = home.root / "adapters_registry" / "published" / path.name
        write_public_card(Adapter.load(path), target)
        written.append(target)
    return written


def copy_scores(source: Path, target: Path, tier: str | None = None) -> list[Path]:
    """Copy the public part of scores and of the files beside them.

    Sums by sentence are those of the whole test: of a slice they would tell which sentence is in it, and so
    its gold intent or its speaker. Of an edition whose gold may be shown those of public slices come along.

    Args:
        source: A score file.
        target: Its copy.
        tier: What the copy's rows rest on, in place of what the source's say.

    Returns:
        The files written.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = public_rows(pq.read_table(source))
    if tier is not None:
        place = table.column_names.index("tier")
        table = table.set_column(place, table.schema.field("tier"), pa.array([tier] * len(table)))
    copies = {target: table}
    if (sums := beside(source, SUMS)).exists():
        part = pq.read_table(sums)
        places = zip(part.column("slice_by").to_pylist(), part.column("slice").to_pylist(), strict=True)
        shown = _slices_shown(table)
        part = part.filter(pa.array([place in shown for place in places]))
        copies[beside(target, SUMS)] = part if _gold_shown(table) else _without_speakers(part)
    for kind in (REPLICATES, RECORDS):
        if (part := beside(source, kind)).exists():
            copies[beside(target, kind)] = pq.read_table(part)
    for path, kept in copies.items():
        with replacing(path) as temporary:
            pq.write_table(kept, temporary, compression="zstd")
    return list(copies)


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
