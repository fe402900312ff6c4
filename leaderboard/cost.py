"""Cost and quality: training time and SLU-F1, one point for each strategy and budget."""

from collections.abc import Iterator, Mapping
from typing import Any

import altair as alt

from slubench.board.panel import Panel
from slubench.board.site.plot_marks import FITTED, SERIES_COLOUR, SERIES_SHAPE
from slubench.board.site.plot_style import mark_of
from slubench.board.text import budget, duration, points
from slubench.board.view import Plot, View


def cost_rows(panel: Panel) -> Iterator[dict[str, Any]]:
    """One row for each trained cell with a known time; scores in points."""
    for cell in panel.cells:
        seconds, score = cell.counts.get("train_seconds"), cell.estimate("slu_f1")
        if seconds and score is not None:
            yield mark_of(panel, cell) | {
                "seconds": seconds,
                "time": duration(seconds),
                "value": 100 * score.value,
                "score": points(score.value),
                "speech": budget(cell.speech) if cell.uses_speech else "0",
            }


def scatter() -> Mapping[str, Any]:
    """Points over training seconds."""
    chart: Mapping[str, Any] = (
        alt.Chart(alt.NamedData(name="rows"))
        .mark_point(filled=True, size=58, opacity=0.9)
        .encode(
            x=alt.X(
                "seconds:Q",
                scale=alt.Scale(zero=False, nice=True, padding=10),
                title="training time in seconds",
            ),
            y=alt.Y("value:Q", scale=alt.Scale(zero=False, nice=True), title=None),
            color=SERIES_COLOUR,
            shape=SERIES_SHAPE,
            tooltip=[
                alt.Tooltip("strategy:N", title="Strategy"),
                alt.Tooltip("speech:N", title="Speech"),
                alt.Tooltip("score:N", title="SLU-F1"),
                alt.Tooltip("time:N", title="Training"),
                alt.Tooltip("seeds:Q", title="Seeds"),
            ],
        )
        .properties(width="container", autosize=FITTED, height=260)
        .to_dict()
    )
    return chart


COST = View(
    name="cost",
    title="SLU-F1 against training time",
    order=40,
    note="Mean training time in seconds; only comparable on the same machine.",
    shows=Plot(scatter, lambda panel: list(cost_rows(panel))),
)
