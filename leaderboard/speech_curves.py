"""Curves over the share of speech: the main score, and intent accuracy beside it; references as lines."""

from collections.abc import Iterator, Mapping
from math import expm1, log1p
from typing import Any

import altair as alt

from slubench.board.analysis.references import Reference, references_of
from slubench.board.panel import TEXT_ONLY, Cell, Estimate, Panel
from slubench.board.site.plot_marks import ACROSS, FITTED, SERIES_COLOUR, SERIES_DASH, SERIES_SHAPE, apart
from slubench.board.site.plot_style import mark_of
from slubench.board.text import bought, clipped, interval, listed, points
from slubench.board.view import Plot, View

SHARES = [0, 2, 5, 10, 25, 100]
HEIGHT = 280
DODGE = 0.05  # in units of log(1 + per cent): strategies at one budget stand side by side
LABEL = 0.075  # part of the height that a line of writing takes


def curve_rows(panel: Panel, metric: str) -> Iterator[dict[str, Any]]:
    """A row a point and a reference line, one for where a curve begins, one for what lies too low to draw."""
    shown = [cell for cell in panel.cells if cell.estimate(metric) and not cell.speech.startswith("few")]
    hearing = [cell for cell in shown if cell.uses_speech]
    curves = sorted({cell.strategy for cell in hearing})
    for cell in hearing:
        aside = curves.index(cell.strategy) - (len(curves) - 1) / 2
        yield row_of(panel, cell, value_of(cell, metric), "point", aside)
    yield from beginnings(panel, hearing, metric)
    yield from reference_rows(panel, hearing, metric)


def value_of(cell: Cell, metric: str) -> Estimate:
    """An estimate that is known to be there."""
    estimate = cell.estimate(metric)
    assert estimate is not None
    return estimate


def beginnings(panel: Panel, hearing: list[Cell], metric: str) -> Iterator[dict[str, Any]]:
    """Where curves begin: at 0 with text-only's value, unless they were measured there (RULES.md)."""
    alone = panel.reading_alone()
    start = alone.estimate(metric) if alone else None
    lines = {line_of(cell): cell for cell in hearing}
    measured = {line_of(cell) for cell in hearing if not cell.share}
    for line, cell in lines.items():
        if start is not None and line not in measured:
            yield row_of(panel, cell, start, "start", 0) | {"x": 0.0}


def reference_rows(panel: Panel, hearing: list[Cell], metric: str) -> Iterator[dict[str, Any]]:
    """A row a line across, its name beside it; one for those whose drawing would flatten the curves.

    Where the curves end above a line its name stands below it, else above; names are kept apart.
    """
    references = sorted(references_of(panel, metric), key=lambda one: one.estimate.value)
    always = [one.estimate.value for one in references if one.cell.strategy == TEXT_ONLY]
    values = [*always, *(value_of(cell, metric).value for cell in hearing)]
    spread = max(values) - min(values) if values else 0.0
    far = [one for one in references if hearing and values and one.estimate.value < min(values) - spread / 2]
    most = max((cell.share for cell in hearing), default=0.0)
    ends = sorted(value_of(cell, metric).value for cell in hearing if cell.share == most)
    middle = ends[len(ends) // 2] if ends else 0.0
    drawn = []
    for one in references:
        if one not in far:
            aside = -1 if one.estimate.value < middle else 1
            drawn.append((100 * (one.estimate.value + aside * LABEL / 2 * spread), one))
    drawn.sort(key=lambda pair: pair[0])
    places = apart([place for place, _ in drawn], 100 * LABEL * spread)
    for (_, one), place in zip(drawn, places, strict=True):
        yield row_of(panel, one.cell, one.estimate, "reference", 0) | {
            "line": f"{line_of(one.cell)} {one.input}",
            "strategy": one.name,
            "name": one.name,
            "across": one.input,
            "label": place,
        }
    if far:
        yield {"role": "below", "text": f"far below: {listed([told_of(one) for one in far])}"}


def told_of(reference: Reference) -> str:
    """Its name and value."""
    return f"{reference.name} at {points(reference.estimate.value)}"


def line_of(cell: Cell) -> str:
    """What points of one curve share; versions of an engine stand in for one another."""
    return f"{cell.strategy} {cell.engine.partition(' ')[0]} {cell.tier} {cell.way}".rstrip()


def row_of(panel: Panel, cell: Cell, estimate: Estimate, role: str, aside: float) -> dict[str, Any]:
    """One row of the plot's data; scores in points, the share in per cent."""
    share = 100 * cell.share
    return mark_of(cell) | {
        "line": line_of(cell),
        "role": role,
        "speech": bought(cell.speech, cell.uses_speech),
        "x": expm1(log1p(share) + DODGE * aside) if share else 0.0,
        "value": 100 * estimate.value,
        "low": None if estimate.low is None else 100 * estimate.low,
        "high": None if estimate.high is None else 100 * estimate.high,
        "score": points(estimate.value) + (f" ({interval(estimate)})" if interval(estimate) else ""),
        "interval": estimate.kind,
        "engine": clipped(cell.engine),
    }


def curve() -> Mapping[str, Any]:
    """Lines with points and whiskers; references are lines across with their names."""
    x = alt.X(
        "x:Q",
        scale=alt.Scale(type="symlog", constant=1, domain=[0, 100], nice=False, padding=14),
        axis=alt.Axis(values=SHARES, labelExpr="datum.value + '\u202f%'", grid=False),
        title="clips bought (% of the task's speech)",
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
    named = across.encode(x=alt.value("width"), y="label:Q", text="name:N")
    layers = (
        *(
            across.transform_filter(f"datum.across == '{input_kind}'")
            .mark_rule(strokeWidth=1.5, strokeDash=dash)
            .encode(y=y, color=SERIES_COLOUR, detail="line:N", tooltip=tooltip)
            for input_kind, dash in ACROSS.items()
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
        # Twice: a wide outline in the page's colour keeps a name legible where a curve crosses it.
        named.mark_text(
            align="right", dx=-2, fontSize=11, stroke="var(--paper)", strokeWidth=4, strokeJoin="round"
        ),
        named.mark_text(align="right", dx=-2, fontSize=11),
        below.mark_text(align="right", baseline="bottom", dy=-4, fontSize=11, fontStyle="italic").encode(
            x=alt.value("width"), y=alt.value("height"), text="text:N"
        ),
    )
    chart: Mapping[str, Any] = (
        alt.layer(*layers).properties(width="container", autosize=FITTED, height=HEIGHT).to_dict()
    )
    return chart


SLU_F1 = View(
    name="slu-f1-by-speech",
    title="SLU-F1 by share of speech",
    order=20,
    note="Horizontal lines are reference models trained without speech; they are never ranked. Every curve"
    " starts at text-only, unless target-language speech was used at 0. Whiskers are 95 % intervals.",
    shows=Plot(curve, lambda panel: list(curve_rows(panel, "slu_f1"))),
)

INTENT = View(
    name="intent-by-speech",
    title="Intent accuracy by share of speech",
    order=21,
    note="Accuracy of scenario and action together; slots are ignored.",
    shows=Plot(curve, lambda panel: list(curve_rows(panel, "intent_accuracy"))),
)
