"""The scores of a file of predictions as tables for the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from slubench.domain.metric import Metric
from slubench.metrics.reading import READING_NAMES
from slubench.metrics.slurp import Breakdown
from slubench.scoring.score_file import VARIANTS, FileScores, Variant

RANKED = VARIANTS[-1]


def tables(scores: FileScores, place: str, metrics: Mapping[str, Metric], *, full: bool) -> Iterator[Table]:
    """One table for the whole test set, one for each slice column, and with `full` one for every label."""
    yield _whole(scores, place, metrics)
    for by in dict.fromkeys(row["slice_by"] for row in scores.rows):
        if by != "all":
            yield _sliced(scores, by, metrics)
    if full:
        for kind in scores.labels[RANKED]:
            yield _by_label(kind, {variant: scores.labels[variant][kind] for variant in VARIANTS})


def _whole(scores: FileScores, place: str, metrics: Mapping[str, Metric]) -> Table:
    facts = [f"{scores.items:,} items of {place}", f"{scores.missing:,} without a prediction"]
    counts = (
        (scores.extra, "predictions for unknown items"),
        (scores.doubled, "replaced by a later prediction"),
        (scores.unparsed, "invalid replies"),
        (scores.read_leniently, "replies that only the lenient reading accepts"),
    )
    facts += [f"{count:,} {what}" for count, what in counts if count]
    title = (f"{scores.input} input: " if scores.input else "") + ", ".join(facts)
    heads = (str(variant).replace(", ", "\n") for variant in VARIANTS)
    table = _table(title, "", *heads, "interval\n(95 %)")
    cells: dict[str, dict[Variant, Mapping[str, Any]]] = {}
    for row in scores.rows:
        if row["slice_by"] == "all":
            cells.setdefault(row["metric"], {})[_variant(row)] = row
    if not scores.read_leniently:
        cells = {name: cell for name, cell in cells.items() if name not in READING_NAMES}
    for metric, by_variant in cells.items():
        values = [f"{100 * by_variant[variant]['value']:.2f}" for variant in VARIANTS]
        low, high = (100 * by_variant[RANKED][end] for end in ("low", "high"))
        table.add_row(metrics[metric].title, *values, f"{low:.1f}-{high:.1f}")
    table.caption = "Scores out of 100, with the 95 % interval of test sampling. " + (
        "strict: items without a prediction count as wrong; otherwise they are skipped, as in SLURP's scorer."
        if scores.missing
        else "No predictions are missing, so the strict scores are the same."
    )
    if scores.read_leniently:
        table.caption += (
            " Lenient reading: accepts code fences, text around the JSON, numbers as values and extra keys."
            " Format: lenient minus strict reading. Neither is ranked."
        )
    return table


def _sliced(scores: FileScores, by: str, metrics: Mapping[str, Metric]) -> Table:
    scored = {row["metric"] for row in scores.rows}
    headline = [metric for metric in metrics.values() if metric.headline and metric.name in scored]
    heads = [metric.title.replace(" ", "\n") for metric in headline]
    title = f"by {by} ({RANKED}; last column: {VARIANTS[0]})"
    table = _table(title, "", "items", *heads, *heads[:1])
    rows: dict[str, dict[tuple[str, Variant], Mapping[str, Any]]] = {}
    for row in scores.rows:
        if row["slice_by"] == by:
            rows.setdefault(row["slice"], {})[row["metric"], _variant(row)] = row
    for name in sorted(rows):
        shown = [(metric.name, RANKED) for metric in headline]
        shown += [(metric.name, VARIANTS[0]) for metric in headline[:1]]
        cells = [rows[name].get(place) for place in shown]
        items = next(iter(rows[name].values()))["n"]
        values = (f"{100 * cell['value']:.2f}" if cell else "-" for cell in cells)
        table.add_row(name, f"{items:,}", *values)
    return table


def _by_label(kind: str, parts: Mapping[Variant, Breakdown]) -> Table:
    title = f"{kind}: {VARIANTS[0]}, then {RANKED}"
    table = _table(title, "", *("P", "R", "F1") * 2)
    shown = (parts[VARIANTS[0]], parts[RANKED])
    for name in ("micro", "macro"):
        table.add_row(Text(name, style="bold"), *_ratios([getattr(part, name) for part in shown]))
    for label in sorted(shown[0].labels.keys() | shown[1].labels.keys()):
        table.add_row(label, *_ratios([part.labels.get(label) for part in shown]))
    return table


def _ratios(parts: Sequence[Any]) -> list[str]:
    return [
        cell
        for part in parts
        for cell in ([f"{100 * value:.2f}" for value in part[:3]] if part is not None else ["-"] * 3)
    ]


def _variant(row: Mapping[str, Any]) -> Variant:
    return Variant(row["normalised"], row["strict"])


def _table(title: str, *heads: str) -> Table:
    table = Table(
        title=title, title_justify="left", caption_justify="left", box=box.SIMPLE_HEAD, pad_edge=False
    )
    for number, head in enumerate(heads):
        table.add_column(head, justify="right" if number else "left", no_wrap=not number)
    return table
