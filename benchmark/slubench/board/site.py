"""Builds the leaderboard: one static folder out of score files."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from slubench.board.libraries import vega, vega_versions
from slubench.board.page import Plots, folds_of, plots_of, render, sections_of, template_file
from slubench.board.panels import panels_of
from slubench.board.read import read_scores
from slubench.board.replicates import read_replicates
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
    panels = panels_of(runs, read_replicates(reading.files))
    sections = sections_of(panels)
    plots = plots_of(sections, views)
    names = _write_assets(out / "assets", _assets(plots) if panels else [_of_template("page", "css")])
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


class _Asset(NamedTuple):
    """A file beside the page: its stem and ending, what its name is drawn from, and its text."""

    stem: str
    ending: str
    version: str
    text: Callable[[], str]


def _of_template(stem: str, ending: str) -> _Asset:
    text = template_file(f"{stem}.{ending}").read_text("utf-8")
    return _Asset(stem, ending, text, lambda: text)


def _assets(plots: Plots) -> list[_Asset]:
    data = f"window.slubench = {script_json({'charts': plots.charts, 'places': plots.places})};\n"
    return [
        _of_template("page", "css"),
        _of_template("page", "js"),
        _of_template("vega-license", "txt"),
        _Asset("data", "js", data, lambda: data),
        # Named after its versions, so that it is not made again where it lies already.
        _Asset("vega", "js", vega_versions(), vega),
    ]


def _write_assets(folder: Path, assets: Sequence[_Asset]) -> dict[str, str]:
    """Write what is not there yet; what is there under its name is what would be written."""
    names = {}
    for stem, ending, version, text in assets:
        name = f"{stem}-{hashlib.sha256(version.encode('utf-8')).hexdigest()[:8]}.{ending}"
        if not (folder / name).is_file():
            write_text(folder / name, text())
        names[f"{stem}.{ending}"] = name
    return names


def _sweep(folder: Path, kept: set[str]) -> None:
    """Take away what earlier builds left."""
    for stem in ("page", "data", "vega", "vega-license"):
        for path in folder.glob(f"{stem}-????????.*"):
            if path.name not in kept:
                path.unlink(missing_ok=True)
