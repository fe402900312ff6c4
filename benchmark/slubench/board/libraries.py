"""The browser libraries of the plots, from the pinned Python package vl-convert."""

from __future__ import annotations

from functools import cache


@cache
def vega() -> str:
    """Vega, Vega-Lite and vega-embed as one classic script that sets `window.vegaEmbed`.

    The bundle declares names at its top level; the function around it keeps them out of the page's.
    """
    import vl_convert

    versions = ", ".join(
        [
            f"Vega {vl_convert.get_vega_version()}",
            f"Vega-Lite {vl_convert.get_vegalite_versions()[-1]}",
            f"vega-embed {vl_convert.get_vega_embed_version()}",
        ]
    )
    bundle = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;")
    return f"/* {versions}; BSD-3-Clause, see vega-license.txt */\n(function () {{\n{bundle}\n}})();\n"
