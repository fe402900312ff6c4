"""The encodings of a strategy's marks that all plots share."""

from __future__ import annotations

import altair as alt

from slubench.board.series import DASHES, HEARING, SHAPES

_SERIES = list(range(2 + HEARING))

SERIES_COLOUR = alt.Color("series:N", scale=alt.Scale(domain=_SERIES), legend=None)
SERIES_SHAPE = alt.Shape("series:N", scale=alt.Scale(domain=_SERIES, range=list(SHAPES)), legend=None)
SERIES_DASH = alt.StrokeDash(
    "dash:N",
    scale=alt.Scale(domain=list(range(len(DASHES))), range=[list(dash) for dash in DASHES]),
    legend=None,
)

# Lines across, by how the model was asked; of a mark each, as plots share one scale of dashes.
ACROSS = {"speech": [5, 4], "text": [2, 3], "own-transcript": [9, 3, 2, 3]}

# As wide as its place on the page, as high as it says.
FITTED = alt.AutoSizeParams(type="fit-x", contains="padding")
