"""What tells one row of the board from another, and what strategies and models of one name are called."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from slubench.schemas import IDENTIFYING, TIERS

WHOLE = (*IDENTIFYING, "data_seed", "train_seed", "scores_fingerprint")
"""The columns in which two rows of different runs differ somewhere."""
DIGITS = 8


def row_keys(table: pa.Table) -> NDArray[np.int64]:
    """A number for each score row, the same for rows of one run and for no others."""
    keys = np.zeros(len(table), np.int64)
    for name in WHOLE:
        column = table.column(name).combine_chunks().dictionary_encode()
        codes = column.indices.fill_null(len(column.dictionary)).to_numpy(zero_copy_only=False)
        most = int(codes.max(initial=0)) + 1
        if most > 1:
            keys = np.unique(keys * most + codes, return_inverse=True)[1].astype(np.int64)
    return keys


def standing(row: Mapping[str, Any]) -> tuple[bool, int, Any]:
    """What of the same row in several files counts: the higher tier, then what was made last."""
    tier = row["tier"]
    return row["tier"] == "retrained", TIERS.index(tier) if tier in TIERS else -1, row["created"]


def strategy_labels(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """What the strategy of each row is called: by its name, where only one strategy bears it.

    Of several that bear one name, the one that was proven best, most often and last keeps it; the others are
    told apart by the first digits of their fingerprints.

    Args:
        rows: By the names of `slubench.schemas.IDENTITY`, a run each.
    """
    whole = _fingerprints(rows)
    times = Counter((row["strategy"], one) for row, one in zip(rows, whole, strict=True))
    best: dict[tuple[str, str], tuple[bool, int, Any]] = {}
    for row, one in zip(rows, whole, strict=True):
        place = row["strategy"], one
        best[place] = max(best.get(place, standing(row)), standing(row))
    keeps: dict[str, tuple[Any, ...]] = {}
    for (name, one), times_there in times.items():
        tier, last = best[name, one][:2], best[name, one][2]
        rank = (bool(one), tier, times_there, last, one)
        keeps[name] = max(keeps.get(name, rank), rank)
    return [
        name if keeps[name][-1] == one else f"{name} ({_short(one) or 'file not known'})"
        for name, one in ((str(row["strategy"]), one) for row, one in zip(rows, whole, strict=True))
    ]


def model_labels(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """What the model of each row is called: by its name, and by its weights too where several bear it."""
    weights: dict[str, set[str]] = {}
    for row in rows:
        weights.setdefault(str(row["model"]), set()).add(str(row["model_weights"] or ""))
    labels = {}
    for name, several in weights.items():
        short = {one: _short(one) or "weights not known" for one in several}
        unique = len(set(short.values())) == len(several)
        for one in several:
            told = f"{name} ({short[one] if unique else one})"
            labels[name, one] = name if len(several) == 1 else told
    return [labels[str(row["model"]), str(row["model_weights"] or "")] for row in rows]


def _fingerprints(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """The strategy's fingerprint of each row, else its file's digest, else nothing.

    A file whose fingerprint another row tells has that one.
    """
    told = {
        (row["strategy"], row["strategy_digest"]): str(row["strategy_fingerprint"])
        for row in sorted(rows, key=lambda row: str(row["strategy_fingerprint"]))
        if row["strategy_digest"] and row["strategy_fingerprint"]
    }
    return [
        str(
            row["strategy_fingerprint"]
            or told.get((row["strategy"], row["strategy_digest"]))
            or row["strategy_digest"]
            or ""
        )
        for row in rows
    ]


def _short(digest: str) -> str:
    """The first digits; of a commit, those behind its repository."""
    repository, at, commit = digest.rpartition("@")
    return f"{repository}{at}{commit[:DIGITS]}"
