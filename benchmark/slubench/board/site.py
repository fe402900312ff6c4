"""Builds the leaderboard: one static folder out of score files."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from slubench.board.libraries import vega
from slubench.board.page import folds_of, plots_of, render, sections_of, template_file
from slubench.board.panels import panels_of
from slubench.board.read import read_scores
from slubench.board.runs import runs_of
from slubench.board.views import find_views
from slubench.board.wire import script_json
from slubench.errors import DataError
from slubench.files import write_text
from slubench.view import View


@dataclass(frozen=True)
class BuildResult:
    """What was built.

    Attributes:
        page: The page to open.
        runs: How many runs it shows.
        panels: How many tables of a task it has.
        files: How many score files were read.
        refused: Score files that were not, each with its reason.
    """

    page: Path
    runs: int
    panels: int
    files: int
    refused: tuple[DataError, ...]


def build(scores: Sequence[Path], out: Path, *, views: Sequence[View] | None = None) -> BuildResult:
    """Read score files and write the page.

    The page is the same for the same scores: it bears the time of the newest score, not of its making. Its
    index is written last, so that an interrupted build leaves the former page whole.

    Args:
        scores: Parquet files in `slubench.tables.SCORES`, see `score_files`.
        out: Folder to write; made where it is missing.
        views: What to show; by default the package's own.

    Raises:
        DeclarationError: A view can't be loaded or rendered.
        OSError: The folder can't be written.
    """
    views = find_views() if views is None else views
    reading = read_scores(scores)
    runs = runs_of(reading.table)
    panels = panels_of(runs)
    sections = sections_of(panels)
    plots = plots_of(sections, views)
    assets = {"page.css": template_file("page.css").read_text("utf-8")}
    if panels:
        data = {"charts": plots.charts, "places": plots.places}
        assets |= {
            "page.js": template_file("page.js").read_text("utf-8"),
            "data.js": f"window.slubench = {script_json(data)};\n",
            "vega.js": vega(),
            "vega-license.txt": template_file("vega-license.txt").read_text("utf-8"),
        }
    names = {name: _write_asset(out / "assets", name, text) for name, text in assets.items()}
    index = render(
        "page.html" if panels else "empty.html",
        sections=sections,
        views=views,
        plotted={place["id"] for place in plots.places},
        folds=folds_of(views),
        asset=names,
        runs=len(runs),
        refused=[_without_folders(str(error), scores) for error in reading.refused],
        newest=max((run.row["created"] for run in runs), default=None),
    )
    write_text(out / "index.html", index)
    _sweep(out / "assets", set(names.values()))
    return BuildResult(out / "index.html", len(runs), len(panels), len(reading.files), reading.refused)


def _without_folders(message: str, scores: Sequence[Path]) -> str:
    """A message whose files are named without their folders, which are nobody's business on a public page."""
    for folder in {str(path.parent) for path in scores}:
        message = message.replace(f"{folder}/", "")
    return message


def _write_asset(folder: Path, name: str, text: str) -> str:
    stem, dot, ending = name.partition(".")
    digest = hashlib.sha256(text.encode("utf-8")).hexdigest()[:8]
    named = f"{stem}-{digest}{dot}{ending}" if ending != "txt" else name
    if not (folder / named).is_file():
        write_text(folder / named, text)
    return named


def _sweep(folder: Path, kept: set[str]) -> None:
    """Take away what earlier builds left."""
    for stem in ("page", "data", "vega"):
        for path in folder.glob(f"{stem}-????????.*"):
            if path.name not in kept:
                path.unlink(missing_ok=True)
