"""Compares claimed score rows with those computed from the predictions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from slubench.errors import shown
from slubench.submission.verify.example_ids import alike

if TYPE_CHECKING:
    import pyarrow as pa

PLACE = ("input", "slice_by", "slice", "metric", "normalised")
MEASURED = ("value", "low", "high", "n", "clusters", "speakers")


def unlike_rows(told: pa.Table, due: pa.Table) -> Iterator[tuple[int | None, str]]:
    """Rows that do not follow from the answers, doubled, strange and missing ones: number from 1, and why.

    Args:
        told: Rows in `slubench.schemas.SCORES`.
        due: Those that were made of the answers.
    """
    follows = {tuple(row[name] for name in PLACE): row for row in due.select([*PLACE, *MEASURED]).to_pylist()}
    seen: set[tuple[Any, ...]] = set()
    for number, row in enumerate(told.select([*PLACE, *MEASURED]).to_pylist(), 1):
        place = tuple(row[name] for name in PLACE)
        expected = follows.get(place)
        if place in seen:
            yield number, f"{_told(place)} occurs twice"
        elif expected is None:
            yield number, f"{_told(place)} does not follow from any prediction"
        else:
            unlike = [name for name in MEASURED if not alike(row[name], expected[name])]
            if unlike:
                name = unlike[0]
                yield (
                    number,
                    f"{name} of {_told(place)} is {row[name]}; the predictions give {expected[name]}",
                )
        seen.add(place)
    missing = [place for place in follows if place not in seen]
    if missing:
        yield (
            None,
            f"{len(missing):,} rows that follow from the predictions are missing, such as"
            f" {_told(missing[0])}",
        )


def _told(place: tuple[Any, ...]) -> str:
    input_kind, by, name, metric, normalised = place
    of = "the whole test set" if by == "all" else f"{shown(by)} {shown(name)}"
    return (
        f"{shown(metric)} ({shown(input_kind)} input, {of}, {'normalised' if normalised else 'as published'})"
    )
