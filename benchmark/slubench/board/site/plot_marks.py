"""The encodings of a strategy's marks that all plots share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from slubench.board.site.plot_style import DASHES, HEARING, SHAPES

_SERIES = list(range(2 + HEARING))

SERIES_COLOUR = alt.Color("series:N", scale=alt.Scale(domain=_SERIES), legend=None)
SERIES_SHAPE = alt.Shape(
    "shape:N", scale=alt.Scale(domain=list(range(len(SHAPES))), range=list(SHAPES)), legend=None
)
SERIES_DASH = alt.StrokeDash(
    "dash:N",
    scale=alt.Scale(domain=list(range(len(DASHES))), range=[list(dash) for dash in DASHES]),
    legend=None,
)

# Lines across, by how the model was asked; of a mark each, as plots share one scale of dashes.
ACROSS = {"speech": [5, 4], "text": [2, 3], "asr": [9, 3, 2, 3]}

# As wide as its place on the page, as high as it says.
FITTED = alt.AutoSizeParams(type="fit-x", contains="padding")


def training_curve() -> Mapping[str, Any]:
    """Loss over updates; rows with only a `stage` mark the ends of stages."""
    rows = alt.Chart(alt.NamedData(name="rows"))
    x = alt.X("update:Q", title="updates", axis=alt.Axis(grid=False))
    tooltip = [
        alt.Tooltip("update:Q", title="Up to update"),
        alt.Tooltip("loss:Q", title="Mean loss", format=".4f"),
    ]
    losses = rows.transform_filter("isValid(datum.loss)").encode(
        x=x, y=alt.Y("loss:Q", title="loss", scale=alt.Scale(type="log", nice=True))
    )
    layers = (
        rows.transform_filter("isValid(datum.stage)")
        .mark_rule(strokeDash=[5, 4], color="var(--soft)")
        .encode(x=alt.X("stage:Q")),
        losses.mark_line(strokeWidth=1.75, color="var(--s2)"),
        losses.mark_point(filled=True, size=30, opacity=1, color="var(--s2)").encode(tooltip=tooltip),
    )
    chart: Mapping[str, Any] = (
        alt.layer(*layers).properties(width="container", autosize=FITTED, height=260).to_dict()
    )
    return chart


def apart(values: Sequence[float], gap: float) -> list[float]:
    """Where names are written beside rising values, so that no two are nearer than `gap`.

    Names that would overlap are moved apart evenly around the mean of their values.
    """
    blocks: list[list[float]] = []  # sum of the values of names that touch, and their number
    for value in values:
        blocks.append([value, 1])
        while len(blocks) > 1 and _top(blocks[-2], gap) > _first(blocks[-1], gap):
            (total, number), (more, others) = blocks[-2:]
            blocks[-2:] = [[total + more, number + others]]
    return [_first(block, gap) + gap * at for block in blocks for at in range(int(block[1]))]


def _first(block: Sequence[float], gap: float) -> float:
    total, number = block
    return total / number - gap * (number - 1) / 2


def _top(block: Sequence[float], gap: float) -> float:
    """The least place that a name after a block may have."""
    return _first(block, gap) + gap * block[1]
