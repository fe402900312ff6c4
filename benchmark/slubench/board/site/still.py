"""The first headline's curve as an image in the page, for readers without scripts and before they run."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from slubench.board.site.page import Plots

WIDTH = 960
LOOK: Mapping[str, Any] = {
    "background": None,
    "font": "var(--sans)",
    "aria": False,
    "view": {"stroke": None},
    "axis": {
        "labelColor": "var(--soft)",
        "titleColor": "var(--soft)",
        "gridColor": "var(--rule)",
        "domainColor": "var(--soft)",
        "tickColor": "var(--soft)",
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "titlePadding": 8,
        "labelPadding": 5,
    },
    "axisY": {"domain": False, "ticks": False, "tickCount": 5},
    "text": {"color": "var(--soft)", "fontSize": 12},
    "range": {"category": [f"var(--s{place})" for place in range(8)]},
}
"""Vega-Lite's `config` of all plots: colours are names of the style sheet."""


def still(plots: Plots, chosen: str = "") -> Markup:
    """The first plot with a chosen budget as SVG, empty where there is none.

    Args:
        plots: Of the page.
        chosen: The budget whose mark is drawn.
    """
    import vl_convert

    place = next((one for one in plots.places.values() if any("budget" in row for row in one["rows"])), None)
    if place is None:
        return Markup("")
    rows = [row for row in place["rows"] if row.get("role") != "chosen" or row["budget"] == chosen]
    spec = {**plots.charts[place["chart"]], "datasets": {"rows": rows}, "width": WIDTH, "config": LOOK}
    drawn = vl_convert.vegalite_to_svg(spec)
    # The page's policy allows no styles within; these only repeat what is set otherwise.
    return Markup(
        re.sub(r' (?:style|class|aria-[a-z]+|role)="[^"]*"', "", drawn).replace(
            "<svg", '<svg aria-hidden="true"', 1
        )
    )
