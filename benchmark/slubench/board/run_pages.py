"""The pages of runs: script files of which a reader loads the one that holds the run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from slubench.board.page import Section
from slubench.board.records import Records
from slubench.board.run_told import Place, told_of
from slubench.board.runs import ScoredRun
from slubench.board.wire import script_json

A_FILE = 400
"""Runs in one file, about."""


def digits_of(runs: int) -> int:
    """By how many first digits of their pages' names runs are sorted into files."""
    return 0 if runs <= A_FILE else 1 if runs <= 16 * A_FILE else 2


def run_files(
    runs: Sequence[ScoredRun], sections: Sequence[Section], records: Records
) -> Iterator[tuple[str, str]]:
    """The names and texts of the script files, in order."""
    places = {
        page: Place(address, panel, cell)
        for section in sections
        for address, panel in section.panels
        for cell in panel.cells
        for page in cell.runs
    }
    digits = digits_of(len(runs))
    files: dict[str, list[ScoredRun]] = {}
    for run in sorted(runs, key=lambda run: run.page):
        files.setdefault(run.page[:digits] or "all", []).append(run)
    for name, some in files.items():
        found = records.of([run.row["scores_fingerprint"] for run in some])
        content = {
            run.page: told_of(run, record, places.get(run.page))
            for run, record in zip(some, found, strict=True)
        }
        yield name, f"Object.assign((window.slubench.runs ??= {{}}), {script_json(content)});\n"
