"""Builds the leaderboard, a static site, from score files."""

from __future__ import annotations

import gc
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from slubench.board.panels import panels_of
from slubench.board.read.public import public_rows
from slubench.board.read.records import Records, read_records
from slubench.board.read.replicates import read_replicates
from slubench.board.read.scores import read_scores
from slubench.board.read.shown_rows import texts
from slubench.board.runs import ScoredRun, runs_of
from slubench.board.site.api import write_api
from slubench.board.site.assets import assets, digest, styles, write_assets
from slubench.board.site.filters import choices_of
from slubench.board.site.html import strategy_link
from slubench.board.site.links import citation, outward_links, paper_citation
from slubench.board.site.page import Section, folds_of, headlines_of, hidden_of, plots_of, render, sections_of
from slubench.board.site.run_page import digits_of, run_files
from slubench.board.site.still import still
from slubench.board.site.strategy_page import strategy_pages
from slubench.board.view import View, find_views
from slubench.domain.metric import Metric
from slubench.errors import DataError
from slubench.runtime.files import replacing, write_text
from slubench.schemas import SCORES

WHOLE = "scores.parquet"


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


def build(
    scores: Sequence[Path],
    out: Path,
    *,
    views: Sequence[View] | None = None,
    metrics: Mapping[str, Metric] | None = None,
    links: Mapping[str, str] | None = None,
) -> BuildResult:
    """Read score files and write the pages: the overview, one for runs, and one for each strategy.

    They are the same for the same scores: they bear the time of the newest score, not of their making. The
    index is written last, so that an interrupted build leaves the former one whole.

    Args:
        scores: Parquet files in `slubench.schemas.SCORES`, see `score_files`.
        out: Folder to write; made where it is missing.
        views: What to show; by default the package's own.
        metrics: Those that are declared, for their titles; by default the package's own.
        links: Addresses of `code` and `docs`; by default those that the installed package tells.

    Raises:
        DeclarationError: A view can't be loaded or rendered.
        OSError: The folder can't be written.
    """
    with _uncollected():
        return _build(scores, out, find_views() if views is None else views, metrics, links or {})


@contextmanager
def _uncollected() -> Iterator[None]:
    """Pauses garbage collection while millions of long-lived small values are created."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _build(
    scores: Sequence[Path],
    out: Path,
    views: Sequence[View],
    metrics: Mapping[str, Metric] | None,
    links: Mapping[str, str],
) -> BuildResult:
    reading = read_scores(scores, shown=True)
    table = public_rows(reading.table)
    runs = runs_of(table)
    records = read_records(reading.files, reading.sources)
    panels = panels_of(runs, read_replicates(reading.files, reading.sources), metrics, records)
    sections = sections_of(panels)
    refused = [_without_folders(str(error), scores) for error in reading.refused]
    newest = max((run.row["created"] for run in runs), default=None)
    common: dict[str, Any] = {
        "folds": folds_of(views),
        "hidden": hidden_of(views),
        "links": outward_links(links),
        "views": views,
        "newest": newest,
        "runs": len(runs),
        "refused": refused,
    }
    if panels:
        plots = plots_of(sections, views)
        names = write_assets(out / "assets", assets(plots))
        common |= {"asset": names}
        _write_runs(out, runs, sections, records, common, metrics)
        pages = _write_strategies(out, runs, sections, records, common)
        _write_whole(out / WHOLE, table)
        write_api(out, sections, views)
        headlines = headlines_of(sections, views)
        given = {
            "sections": sections,
            "plotted": set(plots.places),
            "chosen_of": plots.against,
            "choices": choices_of(panels),
            "headlines": headlines,
            "still": still(plots, headlines[0].lines[0].budget) if headlines else "",
            "citation": citation(links.get("code", "")),
            "paper": paper_citation(),
        }
        index = render("page.html", common | given)
    else:
        # What the links within the page lead to is not there.
        common |= {"links": [link for link in outward_links(links) if link[1].startswith("http")]}
        names, pages = write_assets(out / "assets", [styles()]), set()
        index = render("empty.html", common | {"asset": names})
    write_text(out / "index.html", index)
    _sweep(out, set(names.values()), pages, kept=bool(panels))
    return BuildResult(out / "index.html", len(runs), len(panels), len(reading.files), reading.refused)


def _write_runs(
    out: Path,
    runs: Sequence[ScoredRun],
    sections: Sequence[Section],
    records: Records,
    common: Mapping[str, Any],
    metrics: Mapping[str, Metric] | None,
) -> None:
    making = out / "assets" / ".runs.tmp"
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(parents=True)
    digests = []
    for name, text in run_files(runs, sections, records, metrics):
        (making / f"{name}.js").write_text(text, "utf-8")
        digests.append(digest(text))
    folder = f"runs-{digest(' '.join(digests))}"
    if (out / "assets" / folder).is_dir():
        shutil.rmtree(making)
    else:
        making.rename(out / "assets" / folder)
    shards = {"shards": f"assets/{folder}", "digits": digits_of(len(runs))}
    write_text(out / "run.html", render("run.html", {**common, **shards}))
    for other in (out / "assets").glob("runs-????????"):
        if other.name != folder:
            shutil.rmtree(other, ignore_errors=True)


def _write_strategies(
    out: Path,
    runs: Sequence[ScoredRun],
    sections: Sequence[Section],
    records: Records,
    common: Mapping[str, Any],
) -> set[str]:
    written = set()
    for page in strategy_pages(runs, sections, records):
        link = strategy_link(page.name)
        write_text(out / link, render("strategy.html", {**common, "strategy": page}, root="../"))
        written.add(Path(link).name)
    return written


def _write_whole(path: Path, table: pa.Table) -> None:
    """All score rows, in an order that does not depend on the files."""
    order = [("scores_fingerprint", "ascending"), ("task", "ascending"), ("strategy", "ascending")]
    order += [(name, "ascending") for name in ("input", "slice_by", "slice", "metric", "normalised", "tier")]
    with replacing(path) as temporary:
        keys = pa.table([texts(table.column(name)) for name, _ in order], [name for name, _ in order])
        pq.write_table(table.take(pc.sort_indices(keys, order)).cast(SCORES), temporary, compression="zstd")


def _without_folders(message: str, scores: Sequence[Path]) -> str:
    """A message without the folders of its files, for a public page."""
    for folder in {str(path.parent) for path in scores}:
        message = message.replace(f"{folder}/", "")
    return message


def _sweep(out: Path, assets: set[str], strategies: Iterable[str], *, kept: bool) -> None:
    """Remove the files of earlier builds."""
    for stem in ("page", "overview", "run", "strategy", "plots", "curve", "vega", "vega-license"):
        for path in (out / "assets").glob(f"{stem}-????????.*"):
            if path.name not in assets:
                path.unlink(missing_ok=True)
    for path in (out / "strategies").glob("*.html"):
        if path.name not in strategies:
            path.unlink(missing_ok=True)
    if not kept:
        shutil.rmtree(out / "api", ignore_errors=True)
        for name in ("run.html", WHOLE):
            (out / name).unlink(missing_ok=True)
        for folder in (out / "assets").glob("runs-????????"):
            shutil.rmtree(folder, ignore_errors=True)
