"""The files beside a page (styles, scripts, libraries, data), each named after a hash of its content."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from slubench.board.site.html import script_json
from slubench.board.site.page import Plots, without_look
from slubench.board.site.plot_marks import training_curve
from slubench.board.site.still import LOOK
from slubench.registry.kinds import shelf_folders
from slubench.runtime.files import write_text


def vega_versions() -> str:
    """The versions of the libraries that `vega` gives."""
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


STYLES = ("base", "bar", "headline", "overview", "tables", "matrix", "plots", "pages", "narrow", "print")
ON_EVERY_PAGE = ("state", "theme")
SCRIPTS = {
    "overview": (*ON_EVERY_PAGE, "tables", "matrix", "filter", "take", "headline", "plots"),
    "strategy": (*ON_EVERY_PAGE, "tables", "take"),
    "run": (*ON_EVERY_PAGE, "take", "plots", "run"),
}
"""The scripts that are joined into one for each kind of page."""


class Asset(NamedTuple):
    """A file beside the page: stem and ending, what its name is computed from, and its text."""

    stem: str
    ending: str
    version: str
    text: Callable[[], str]


def template_file(name: str) -> Path:
    """A file of the page template.

    Raises:
        FileNotFoundError: The installation lacks it.
    """
    for folder in shelf_folders("leaderboard"):
        if (path := folder / "template" / name).is_file():
            return path
    raise FileNotFoundError(f"leaderboard/template/{name} is missing; install slubench again")


def styles() -> Asset:
    """The one style sheet of all pages."""
    return _joined("page", "css", [f"style/{name}.css" for name in STYLES])


def assets(plots: Plots) -> list[Asset]:
    """All files of a leaderboard that is not empty."""
    curve = {"charts": {"curve": without_look(training_curve())}, "look": LOOK}
    return [
        styles(),
        *(_joined(page, "js", [f"script/{n}.js" for n in names]) for page, names in SCRIPTS.items()),
        _joined("vega-license", "txt", ["vega-license.txt"]),
        _data("plots", {"charts": plots.charts, "places": plots.places, "look": LOOK}),
        _data("curve", curve),
        # Named after its versions, so that it is not made again where it lies already.
        Asset("vega", "js", vega_versions(), vega),
    ]


def write_assets(folder: Path, made: Sequence[Asset]) -> dict[str, str]:
    """Write files that do not exist yet; returns each file's name by its stem and ending."""
    names = {}
    for stem, ending, version, text in made:
        name = f"{stem}-{digest(version)}.{ending}"
        if not (folder / name).is_file():
            write_text(folder / name, text())
        names[f"{stem}.{ending}"] = name
    return names


def digest(text: str) -> str:
    """An eight-digit hash of the text."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:8]


def _joined(stem: str, ending: str, files: Sequence[str]) -> Asset:
    text = "\n".join(template_file(name).read_text("utf-8") for name in files)
    return Asset(stem, ending, text, lambda: text)


def _data(stem: str, content: Any) -> Asset:
    text = f"Object.assign((window.slubench ??= {{}}), {script_json(content)});\n"
    return Asset(stem, "js", text, lambda: text)
