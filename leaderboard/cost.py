"""Quality against cost: one point a strategy and budget, and the line of those that no other one beats."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import altair as alt

from slubench.board.panel import RANKED_TIERS, Cell, Panel
from slubench.board.site.plot_marks import FITTED, SERIES_COLOUR, SERIES_SHAPE
from slubench.board.site.plot_style import mark_of
from slubench.board.text import bought, count, duration, interval, memory, points
from slubench.board.view import Plot, View

GIB = 1 << 30
COSTS: dict[str, tuple[str, str, float, Callable[[float], str]]] = {
    "train_seconds": ("training time, GPU (or CPU) seconds", "Training", 1, duration),
    "peak_memory_bytes": ("peak memory of training, GiB", "Peak memory", GIB, memory),
    "minutes_bought": ("minutes of speech bought", "Speech", 1, lambda value: duration(60 * value)),
    "trainable_parameters": ("trainable parameters, millions", "Trainable", 1e6, count),
}
"""Counts of a cell: what they are read as, their name in a tooltip, their unit, and how they are written."""


def cost_of(cell: Cell, name: str) -> float | None:
    """A cost of a trained cell; without speech no minute is bought."""
    if not cell.counts.get("updates"):
        return None
    return cell.counts.get(name, 0.0 if name == "minutes_bought" and not cell.uses_speech else None)


def cost_rows(panel: Panel) -> Iterator[dict[str, Any]]:
    """A row for each cost and each cell of which it is known; scores in points.

    What was handed in and not trained again is drawn, and is never on the line.
    """
    for name, (_, title, unit, written) in COSTS.items():
        known = [
            (cost, score, cell)
            for cell in panel.cells
            if (cost := cost_of(cell, name)) is not None and (score := cell.estimate("slu_f1")) is not None
        ]
        # From the cheapest on, each that is better than all that cost less or as much.
        front, best = set(), float("-inf")
        for _, score, cell in sorted(known, key=lambda one: (one[0], -one[1].value)):
            if cell.tier in RANKED_TIERS and score.value > best:
                front.add(cell.runs)
                best = score.value
        for cost, score, cell in known:
            yield mark_of(cell) | {
                "against": name,
                "x": cost / unit,
                "value": 100 * score.value,
                "cost": f"{title}: {written(cost)}",
                "score": points(score.value) + (f" ({interval(score)})" if interval(score) else ""),
                "speech": bought(cell.speech, cell.uses_speech),
                "front": cell.runs in front,
            }


def scatter() -> Mapping[str, Any]:
    """Points, and a stepped line through those that no other one beats."""
    rows = alt.Chart(alt.NamedData(name="rows"))
    x = alt.X("x:Q", scale=alt.Scale(type="sqrt", zero=False, nice=True, padding=12), title=None)
    y = alt.Y("value:Q", scale=alt.Scale(zero=False, nice=True), title=None)
    tooltip = [
        alt.Tooltip("strategy:N", title="Strategy"),
        alt.Tooltip("speech:N", title="Speech"),
        alt.Tooltip("score:N", title="SLU-F1"),
        alt.Tooltip("cost:N", title="Cost"),
        alt.Tooltip("seeds:Q", title="Seeds"),
    ]
    layers = (
        rows.transform_filter("datum.front")
        .mark_line(interpolate="step-after", strokeWidth=1.25, color="var(--soft)", strokeDash=[3, 3])
        .encode(x=x, y=y, order="x:Q"),
        rows.mark_point(filled=True, size=62, opacity=0.95).encode(
            x=x, y=y, color=SERIES_COLOUR, shape=SERIES_SHAPE, tooltip=tooltip
        ),
    )
    chart: Mapping[str, Any] = (
        alt.layer(*layers).properties(width="container", autosize=FITTED, height=260).to_dict()
    )
    return chart


COST = View(
    name="cost",
    title="SLU-F1 against cost",
    order=40,
    note="The dashed line joins rows that no other row beats at lower or equal cost, by their means. "
    "Time and memory are only comparable on the same machine.",
    shows=Plot(
        scatter,
        lambda panel: list(cost_rows(panel)),
        against=tuple((name, title) for name, (title, *_) in COSTS.items()),
    ),
)
