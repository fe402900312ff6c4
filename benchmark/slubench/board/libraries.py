"""The browser libraries of the plots, from the pinned Python package vl-convert."""

from __future__ import annotations

from functools import cache


def vega_versions() -> str:
    """Which libraries `vega` gives."""
    import vl_convert

    names = {
        "Vega": vl_convert.get_vega_version(),
        "Vega-Lite": vl_convert.get_vegalite_versions()[-1],
        "vega-embed": vl_convert.get_vega_embed_version(),
    }
    return ", ".join(f"{name} {version}" for name, version in names.items())


@cache
def vega() -> str:
    """Vega, Vega-Lite and vega-embed as one classic script that sets `window.vegaEmbed`; takes a second.

    The bundle declares names at its top level; the function around it keeps them out of the page's.
    """
    import vl_convert

    bundle = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;")
    notice = f"/* {vega_versions()}; BSD-3-Clause, see vega-license-*.txt */"
    return f"{notice}\n(function () {{\n{bundle}\n}})();\n"
