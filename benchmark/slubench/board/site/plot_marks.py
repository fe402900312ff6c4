"""The encodings of a strategy's marks that all plots share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import altair as alt

from slubench.board.site.plot_style import DASHES, HEARING, SHAPES

_SERIES = list(range(2 + HEARING))

SERIES_COLOUR = alt.Color("series:N", scale=alt.Scale(domain=_SERIES), legend=None)
SERIES_SHAPE = alt.Shape("series:N", scale=alt.Scale(domain=_SERIES, range=list(SHAPES)), legend=None)
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
