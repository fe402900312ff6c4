"""Merges a verified bundle into a published leaderboard: what was made anew is copied with its tier."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from slubench._checkout import is_checkout
from slubench.board.runs import TIERS
from slubench.errors import UsageError, VerificationError
from slubench.files import write_text
from slubench.home import Home
from slubench.publishing import copy_scores
from slubench.submission.case import Case
from slubench.submission.lesson_ids import alike
from slubench.submission.rescored import MEASURED, PLACE
from slubench.submission.verifying import Verification

if TYPE_CHECKING:
    import pyarrow as pa


def check_target(home: Home) -> None:
    """See that HOME can hold published results.

    Raises:
        UsageError: It is no checkout.
    """
    if not is_checkout(home.root):
        raise UsageError(f"{home.root} is no checkout of slubench; only a checkout holds published results.")


def merge(verification: Verification, home: Home) -> list[Path]:
    """Copy the scores and cards of a bundle to the tracked folders of a checkout.

    What is copied was made anew from the bundle's replies and the corpus, slices over few speakers left out.
    A published row is never replaced by another: the same row may rise to a higher tier.

    Args:
        verification: Of the bundle.
        home: The checkout.

    Returns:
        The files written.

    Raises:
        UsageError: HOME is no checkout.
        VerificationError: Something does not hold, gold is not here, or other scores are published already.
    """
    check_target(home)
    if verification.tier is None:
        raise VerificationError("Nothing is published of a bundle in which something does not hold.")
    published = home.root / "leaderboard" / "published"
    clashes = [told for case in verification.cases for told in _clash(case, published)]
    if clashes:
        raise VerificationError("\n".join(clashes))
    return [path for case in verification.cases for path in _publish(case, home, published)]


def _clash(case: Case, published: Path) -> Iterator[str]:
    import pyarrow.parquet as pq

    if case.scores is None:
        yield f"{case.name} is claimed alone: gold is not here, so there are no scores to publish."
        return
    there = published / case.scores.name
    if there.exists() and not _same(pq.read_table(there), pq.read_table(case.scores)):
        yield (
            f"{case.name} is published already with other scores ({there.name}), and a published row is never"
            " replaced: take it away first, if it is withdrawn."
        )


def _publish(case: Case, home: Home, published: Path) -> list[Path]:
    import pyarrow.parquet as pq

    assert case.scores is not None
    assert case.claim is not None
    target = published / case.scores.name
    if target.exists():
        tier = pq.read_table(target, columns=["tier"]).column(0)[0].as_py()
        if tier not in TIERS or TIERS.index(tier) >= TIERS.index(case.tier):
            return []
    written = copy_scores(case.scores, target, case.tier)
    card = case.claim.card
    path = home.root / "adapters_registry" / "published" / f"{card.stem}.json"
    if not path.exists():
        write_text(path, json.dumps(asdict(card), indent=1, ensure_ascii=False) + "\n")
        written.append(path)
    return written


def _same(one: pa.Table, other: pa.Table) -> bool:
    """Whether what both tell of is measured alike."""
    measured = [
        {tuple(row[name] for name in PLACE): [row[name] for name in MEASURED] for row in _rows(table)}
        for table in (one, other)
    ]
    shared = measured[0].keys() & measured[1].keys()
    return bool(shared) and all(alike(measured[0][place], measured[1][place]) for place in shared)


def _rows(table: pa.Table) -> Sequence[dict[str, object]]:
    rows: list[dict[str, object]] = table.select([*PLACE, *MEASURED]).to_pylist()
    return rows
