"""Speech against transcripts: the same models on both inputs, side by side."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import altair as alt

from slubench.board.panel import Cell, Panel
from slubench.board.site.plot_marks import FITTED, SERIES_COLOUR
from slubench.board.site.plot_style import mark_of
from slubench.board.text import bought, clipped, points
from slubench.board.view import Plot, View


def label_of(cell: Cell) -> str:
    """Strategy and budget."""
    return f"{clipped(cell.strategy, 24)}  {bought(cell.speech, cell.uses_speech)}"


def origin_of(cell: Cell) -> str:
    """Distinguishes rows of one strategy and budget."""
    return f"{clipped(cell.engine, 16)}, {cell.tier}"


def both_ways(panel: Panel) -> Iterator[dict[str, Any]]:
    """One row for each cell evaluated on both speech and text; scores in points."""
    ordered = sorted(panel.cells, key=lambda cell: (cell.share, cell.strategy, cell.engine, cell.tier))
    labels = Counter(label_of(cell) for cell in ordered)
    for place, cell in enumerate(ordered):
        speech, text = cell.estimate("slu_f1"), cell.estimate("slu_f1", "text")
        if speech is None or text is None:
            continue
        yield mark_of(cell) | {
            "place": place,
            "label": label_of(cell) if labels[label_of(cell)] == 1 else f"{label_of(cell)} {origin_of(cell)}",
            "speech": 100 * speech.value,
            "text": 100 * text.value,
            "apart": points(text.value - speech.value, signed=True),
            "engine": clipped(cell.engine),
        }


def dumbbells() -> Mapping[str, Any]:
    """A filled point for speech, an open one for transcripts, and a line between them."""
    y = alt.Y(
        "label:N",
        sort=alt.SortField("place"),
        axis=alt.Axis(labelLimit=190, ticks=False, domain=False, grid=True, labelPadding=8),
        title=None,
    )
    tooltip = [
        alt.Tooltip("strategy:N", title="Strategy"),
        alt.Tooltip("speech:Q", title="Speech input", format=".1f"),
        alt.Tooltip("text:Q", title="Text input", format=".1f"),
        alt.Tooltip("apart:N", title="Text minus speech"),
        alt.Tooltip("seeds:Q", title="Seeds"),
        alt.Tooltip("engine:N", title="Engine"),
    ]
    rows = alt.Chart(alt.NamedData(name="rows"))
    scale = alt.Scale(zero=False, nice=True, padding=10)
    speech = alt.X("speech:Q", scale=scale, title="SLU-F1")
    text = alt.X("text:Q", scale=scale, title="SLU-F1")
    layers = (
        rows.mark_rule(strokeWidth=1.75, opacity=0.65).encode(
            y=y, x=speech, x2="text:Q", color=SERIES_COLOUR
        ),
        rows.mark_point(filled=True, size=58, opacity=1).encode(
            y=y, x=speech, color=SERIES_COLOUR, tooltip=tooltip
        ),
        rows.mark_point(size=50, strokeWidth=1.75, filled=False, opacity=1).encode(
            y=y, x=text, color=SERIES_COLOUR, tooltip=tooltip
        ),
    )
    chart: Mapping[str, Any] = alt.layer(*layers).properties(width="container", autosize=FITTED).to_dict()
    return chart


MODALITY_GAP = View(
    name="speech-and-text",
    title="Speech and text input",
    order=30,
    note="The same trained models on the recordings (filled) and on their gold transcripts (open).",
    shows=Plot(dumbbells, lambda panel: list(both_ways(panel)), row_height=21),
)
