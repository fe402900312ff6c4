"""The chart of a training's loss, which the page of a run draws."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import altair as alt

from slubench.board.marks import FITTED


def training_curve() -> Mapping[str, Any]:
    """Loss over updates; rows with a `stage` and nothing else draw where a stage ends."""
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
