"""What the page of a run shows, in script files of which a reader loads the one that holds it."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from slubench.board.again import advice, command
from slubench.board.links import strategy_link
from slubench.board.page import Section
from slubench.board.records import Records
from slubench.board.runs import ScoredRun
from slubench.board.wire import script_json
from slubench.board.wording import budget, clipped, count, duration, heading
from slubench.view import Cell, Panel

A_FILE = 400
"""Runs in one file, about."""
LONGEST = 2000
"""Characters of a reply or fact that are shown."""
IDENTITY = {
    "run": "Run",
    "scores_fingerprint": "Scores",
    "answers_fingerprint": "Answers",
    "own_fingerprint": "Answers to own transcripts",
    "train_fingerprint": "Training",
    "task": "Task",
    "corpus": "Corpus",
    "corpus_revision": "Revision",
    "test_in": "Asked in",
    "speech_in": "Speech in",
    "text_in": "Text in",
    "target": "Target data",
    "strategy": "Strategy",
    "speech": "Speech",
    "speech_share": "Share of the pool",
    "model": "Model",
    "track": "What learns",
    "data_track": "Data",
    "edition": "Edition",
    "ruleset": "Ruleset",
    "rules": "Rules",
    "data_seed": "Data seed",
    "train_seed": "Train seed",
    "engine": "Engine",
    "serving": "Serving",
    "tier": "Proof",
    "scorer_version": "Scorer",
    "schema_version": "Schema",
    "created": "Scored",
}
COUNTS = {
    "clips_bought": "Clips bought",
    "clips_unique": "Clips heard, each once",
    "clips_heard": "Clips heard",
    "minutes_bought": "Minutes bought",
    "minutes_heard": "Minutes heard",
    "text_rows": "Transcripts read",
    "updates": "Updates",
    "flops": "FLOPs, estimated",
    "train_seconds": "Training",
    "answer_seconds": "Answering",
}


class Place(NamedTuple):
    """Where a run stands on the overview."""

    address: str
    panel: Panel
    cell: Cell


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
        content = {run.page: _told(run, record, places) for run, record in zip(some, found, strict=True)}
        yield name, f"Object.assign((window.slubench.runs ??= {{}}), {script_json(content)});\n"


def _told(run: ScoredRun, record: Mapping[str, Any] | None, places: Mapping[str, Place]) -> dict[str, Any]:
    row, place, known = run.row, places.get(run.page), record or {}
    file = str(known.get("strategy_file", ""))
    facts = dict(known.get("facts", ()))
    heard = "no speech" if run.speech == "0" else f"{budget(run.speech)} of the speech"
    return {
        "title": f"{clipped(row['strategy'], 40)}, {heard}",
        "about": _about(row, place),
        "banner": "The miniature is a test of software, not evidence about strategies."
        if row["edition"] == "mini"
        else "",
        "strategy": clipped(row["strategy"], 64),
        "page": strategy_link(row["strategy"]),
        "panel": place.address if place else "",
        "peers": _peers(place.cell) if place else [],
        "measures": [
            [*measure, estimate.value, estimate.low, estimate.high]
            for measure, estimate in run.measures.items()
        ],
        "command": command(row, file),
        "again": advice(row, file),
        "identity": [
            [title, _written(name, row[name])] for name, title in IDENTITY.items() if row[name] is not None
        ],
        "ledger": [
            [title, _written(name, row[name])] for name, title in COUNTS.items() if row[name] is not None
        ]
        + [
            [_title(name), clipped(facts.pop(name), 200)]
            for name in sorted(facts)
            if name.startswith("ledger.")
        ],
        "facts": [[clipped(name, 200), clipped(value, LONGEST)] for name, value in facts.items()],
        "stages": _stages(dict(known.get("facts", ()))),
        "curve": {
            "updates": known["curve_updates"],
            "losses": [round(loss, 5) for loss in known["curve_losses"]],
        }
        if known.get("curve_losses")
        else None,
        "samples": [_sample(sample) for sample in known.get("samples", ())],
    }


def _about(row: Mapping[str, Any], place: Place | None) -> str:
    where = f"{clipped(row['task'])}: {heading(place.panel)}. " if place else f"{clipped(row['task'])}. "
    whole = f"{clipped(row['model'])}, {clipped(row['edition'])} edition, {clipped(row['track'])}"
    newer = "" if place else " A newer run of the same seeds stands in the table."
    return f"{where}{whole}, data seed {row['data_seed']}, train seed {row['train_seed']}.{newer}"


def _peers(cell: Cell) -> list[list[str]]:
    labels = [
        f"{train}" if data == train or not cell.hears else f"{data}/{train}" for data, train in cell.seeds
    ]
    return [[label, page] for label, page in zip(labels, cell.runs, strict=True)]


def _written(name: str, value: Any) -> str:
    if isinstance(value, datetime.datetime):
        return value.strftime("%Y-%m-%d %H:%M UTC")
    if isinstance(value, list):
        return ", ".join(clipped(str(part)) for part in value) or "none"
    if name.endswith("_seconds"):
        return duration(value)
    if name == "flops":
        return f"{value:.3g}"
    if name == "speech_share":
        return f"{100 * value:.3g} %"
    if isinstance(value, float):
        return f"{value:.1f}"
    return count(value) if name in COUNTS else clipped(str(value), 200)


def _title(name: str) -> str:
    return clipped(name.removeprefix("ledger.").replace("_", " ").replace(".", ", "), 80)


def _stages(facts: Mapping[str, str]) -> list[int]:
    told = facts.get("ledger.updates", "").split(", ")
    return [int(part) for part in told if part.isascii() and part.isdigit() and len(part) < 9]


def _sample(sample: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: clipped(value, LONGEST) if isinstance(value, str) else value for name, value in sample.items()
    }
