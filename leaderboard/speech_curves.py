"""Curves over the share of speech: the main score, and intent accuracy beside it."""

from collections.abc import Iterator, Mapping
from math import expm1, log1p
from typing import Any

import altair as alt

from slubench.board.marks import FITTED, SERIES_COLOUR, SERIES_DASH, SERIES_SHAPE
from slubench.board.series import mark_of
from slubench.board.wording import budget, clipped, interval, listed, points
from slubench.view import TEXT_ONLY, Cell, Estimate, Panel, Plot, View

SHARES = [0, 2, 5, 10, 25, 100]
HEIGHT = 280
DODGE = 0.05  # in units of log(1 + per cent): strategies at one budget stand side by side


def curve_rows(panel: Panel, metric: str) -> Iterator[dict[str, Any]]:
    """A row a point and a reference line, one for where a curve begins, one for what lies too low to draw."""
    shown = [cell for cell in panel.cells if cell.estimate(metric) and not cell.speech.startswith("few")]
    hearing = [cell for cell in shown if cell.hears]
    curves = sorted({cell.strategy for cell in hearing}, key=lambda strategy: panel.series[strategy])
    for cell in hearing:
        aside = curves.index(cell.strategy) - (len(curves) - 1) / 2
        yield row_of(panel, cell, value_of(cell, metric), "point", aside)
    yield from beginnings(panel, hearing, metric)
    far = list(far_below([cell for cell in shown if cell not in hearing], hearing, metric))
    for cell in shown:
        if cell not in hearing and cell not in far:
            yield row_of(panel, cell, value_of(cell, metric), "reference", 0)
    if far:
        named = (f"{clipped(cell.strategy, 24)} at {points(value_of(cell, metric).value)}" for cell in far)
        yield {"role": "below", "text": f"far below: {listed(list(named))}"}


def value_of(cell: Cell, metric: str) -> Estimate:
    """An estimate that is known to be there."""
    estimate = cell.estimate(metric)
    assert estimate is not None
    return estimate


def beginnings(panel: Panel, hearing: list[Cell], metric: str) -> Iterator[dict[str, Any]]:
    """Where curves begin: at 0 a strategy that needs speech takes text-only's value (RULES.md)."""
    alone = panel.reading_alone()
    start = alone.estimate(metric) if alone else None
    lines = {line_of(cell): cell for cell in hearing}
    for cell in lines.values():
        if start is not None:
            yield row_of(panel, cell, start, "start", 0) | {"x": 0.0}


def far_below(references: list[Cell], hearing: list[Cell], metric: str) -> Iterator[Cell]:
    """References so low that drawing them would flatten the curves; text-only is always drawn."""
    kept = [cell for cell in references if cell.strategy == TEXT_ONLY]
    values = [value_of(cell, metric).value for cell in (*hearing, *kept)]
    if hearing:
        floor = min(values) - (max(values) - min(values)) / 2
        yield from (c for c in references if c not in kept and value_of(c, metric).value < floor)


def line_of(cell: Cell) -> str:
    """What points of one curve share; versions of an engine stand in for one another."""
    return f"{cell.strategy} {cell.engine.partition(' ')[0]} {cell.tier}"


def row_of(panel: Panel, cell: Cell, estimate: Estimate, role: str, aside: float) -> dict[str, Any]:
    """One row of the plot's data; scores in points, the share in per cent."""
    share = 100 * cell.share
    return mark_of(panel, cell) | {
        "line": line_of(cell),
        "role": role,
        "speech": budget(cell.speech),
        "x": expm1(log1p(share) + DODGE * aside) if share else 0.0,
        "value": 100 * estimate.value,
        "low": None if estimate.low is None else 100 * estimate.low,
        "high": None if estimate.high is None else 100 * estimate.high,
        "score": points(estimate.value) + (f" ({interval(estimate)})" if interval(estimate) else ""),
        "interval": estimate.kind,
        "engine": clipped(cell.engine),
    }


def curve() -> Mapping[str, Any]:
    """Lines with points and whiskers; strategies that hear nothing are dashed lines across."""
    x = alt.X(
        "x:Q",
        scale=alt.Scale(type="symlog", constant=1, domain=[0, 100], nice=False, padding=14),
        axis=alt.Axis(values=SHARES, labelExpr="datum.value + '\u202f%'", grid=False),
        title="clips bought, of the task's speech",
    )
    y = alt.Y("value:Q", scale=alt.Scale(zero=False, nice=True), title=None)
    tooltip = [
        alt.Tooltip("strategy:N", title="Strategy"),
        alt.Tooltip("speech:N", title="Speech"),
        alt.Tooltip("score:N", title="Score"),
        alt.Tooltip("seeds:Q", title="Seeds"),
        alt.Tooltip("interval:N", title="Interval"),
        alt.Tooltip("engine:N", title="Engine"),
    ]
    every = alt.Chart(alt.NamedData(name="rows"))
    across = every.transform_filter("datum.role == 'reference'")
    measured = every.transform_filter("datum.role == 'point'")
    below = every.transform_filter("datum.role == 'below'")
    layers = (
        across.mark_rule(strokeWidth=1.5, strokeDash=[5, 4]).encode(
            y=y, color=SERIES_COLOUR, detail="line:N", tooltip=tooltip
        ),
        every.transform_filter("datum.role == 'point' || datum.role == 'start'")
        .mark_line(strokeWidth=1.75, interpolate="linear")
        .encode(x=x, y=y, color=SERIES_COLOUR, strokeDash=SERIES_DASH, detail="line:N", order="x:Q"),
        measured.transform_filter("isValid(datum.low)")
        .mark_rule(strokeWidth=1.25)
        .encode(x=x, y=alt.Y("low:Q", title=None), y2="high:Q", color=SERIES_COLOUR),
        measured.mark_point(filled=True, size=58, opacity=1).encode(
            x=x, y=y, color=SERIES_COLOUR, shape=SERIES_SHAPE, tooltip=tooltip
        ),
        below.mark_text(align="left", baseline="top", dx=6, dy=2, fontStyle="italic").encode(
            x=alt.value(0), y=alt.value(0), text="text:N"
        ),
    )
    chart: Mapping[str, Any] = (
        alt.layer(*layers).properties(width="container", autosize=FITTED, height=HEIGHT).to_dict()
    )
    return chart


SLU_F1 = View(
    name="slu-f1-by-speech",
    title="SLU-F1 over the share of speech",
    order=20,
    note="Dashed lines hear no speech; every curve begins at text-only. Whiskers are the intervals.",
    shows=Plot(curve, lambda panel: list(curve_rows(panel, "slu_f1"))),
)

INTENT = View(
    name="intent-by-speech",
    title="Intent accuracy over the share of speech",
    order=21,
    note="The same for scenario and action together; slots play no part.",
    shows=Plot(curve, lambda panel: list(curve_rows(panel, "intent_accuracy"))),
)
