"""The content of a run's page, as plain values for its script."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from slubench.board.metric_labels import labels_of
from slubench.board.panel import Cell, Panel
from slubench.board.read.records import Records
from slubench.board.runs import ScoredRun
from slubench.board.site.html import script_json, strategy_link
from slubench.board.site.page import Section
from slubench.board.site.reproduce import advice, command
from slubench.board.text import all_clipped, budget, clipped, count, duration, heading
from slubench.domain.metric import Metric

LONGEST = 2000
"""Maximum characters shown of a reply or fact."""
IDENTITY = {
    "run": "Run",
    "scores_fingerprint": "Scores",
    "answers_fingerprint": "Predictions",
    "asr_fingerprint": "Predictions from ASR transcripts",
    "train_fingerprint": "Training",
    "task": "Task",
    "corpus": "Corpus",
    "corpus_revision": "Revision",
    "test_in": "Test language",
    "speech_in": "Languages of the training speech",
    "text_in": "Languages of the training text",
    "target": "Target data",
    "strategy": "Strategy",
    "strategy_digest": "Strategy file, SHA-256",
    "strategy_fingerprint": "Strategy, as declared and reached",
    "speech": "Speech budget",
    "speech_share": "Share of the pool",
    "model": "Model",
    "model_weights": "Model weights",
    "track": "Trained parts",
    "data_track": "Data track",
    "edition": "Edition",
    "ruleset": "Ruleset",
    "selection": "Checkpoint selection",
    "rules": "Rules",
    "data_seed": "Data seed",
    "train_seed": "Train seed",
    "engine": "Inference engine",
    "serving": "Serving",
    "tier": "Tier",
    "scorer_version": "Scorer",
    "schema_version": "Schema",
    "created": "Scored",
}
COUNTS = {
    "clips_bought": "Clips bought",
    "clips_unique": "Different clips used",
    "clip_exposures": "Clip exposures",
    "minutes_bought": "Minutes bought",
    "minutes_exposed": "Minutes, repeats included",
    "text_rows": "Transcript exposures",
    "updates": "Updates",
    "flops": "FLOPs, estimated",
    "train_seconds": "Training",
    "answer_seconds": "Inference",
}


INPUTS = {"speech": "Speech input", "text": "Text input", "asr": "ASR transcript input"}
SOFTWARE = "The mini edition is a test of the software, not evidence about strategies."


class OverviewPlace(NamedTuple):
    """Where the overview shows a run."""

    address: str
    panel: Panel
    cell: Cell


def told_of(run: ScoredRun, record: Mapping[str, Any] | None, place: OverviewPlace | None) -> dict[str, Any]:
    """The content of a run's page.

    Args:
        run: The run.
        record: Its record in `slubench.schemas.RECORDS`, None where it has none.
        place: Where it stands on the overview, None where a newer one stands there in its stead.
    """
    file = str(record["strategy_file"]) if record is not None else ""
    return {
        **_from_scores(run, place),
        "command": command(run.row, file),
        "again": advice(run.row, file),
        **_from_record(run.row, record),
    }


def _from_scores(run: ScoredRun, place: OverviewPlace | None) -> dict[str, Any]:
    row = run.row
    used = "no speech" if run.speech == "0" else f"{budget(run.speech)} of the speech"
    return {
        "title": f"{clipped(run.strategy, 40)}, {used}",
        "about": _about(run, place),
        "banner": SOFTWARE if row["edition"] == "mini" else "",
        "strategy": clipped(run.strategy, 64),
        "page": strategy_link(run.strategy),
        "panel": place.address if place else "",
        "peers": _peers(place.cell) if place else [],
        "measures": [[*measure, one.value, one.low, one.high] for measure, one in run.measures.items()],
        "identity": _titled(row, IDENTITY),
    }


def _from_record(row: Mapping[str, Any], record: Mapping[str, Any] | None) -> dict[str, Any]:
    ledger = _titled(row, COUNTS)
    if record is None:
        return {"ledger": ledger, "facts": [[], []], "curve": None, "samples": []}
    names, values = zip(*record["facts"], strict=True) if record["facts"] else ((), ())
    losses = [round(loss, 5) for loss in record["curve_losses"]]
    return {
        "ledger": ledger,
        "facts": [all_clipped(names, 200), all_clipped(values, LONGEST)],
        "curve": {"updates": record["curve_updates"], "losses": losses} if losses else None,
        "samples": _shown(record["samples"]),
    }


def _titled(row: Mapping[str, Any], titles: Mapping[str, str]) -> list[list[str]]:
    return [[title, _written(name, row[name])] for name, title in titles.items() if row[name] is not None]


def _about(run: ScoredRun, place: OverviewPlace | None) -> str:
    row = run.row
    where = f"{clipped(row['task'])}: {heading(place.panel)}. " if place else f"{clipped(row['task'])}. "
    whole = f"{clipped(run.model)}, {clipped(row['edition'])} edition, {clipped(row['track'])}"
    newer = "" if place else " The table shows a newer run with the same seeds."
    return f"{where}{whole}, data seed {row['data_seed']}, train seed {row['train_seed']}.{newer}"


def _peers(cell: Cell) -> list[list[str]]:
    labels = [
        f"{train}" if data == train or not cell.uses_speech else f"{data}/{train}"
        for data, train in cell.seeds
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


def _shown(samples: Sequence[dict[str, Any]]) -> Sequence[dict[str, Any]]:
    texts = [text for sample in samples for text in sample.values() if isinstance(text, str)]
    if all_clipped(texts, LONGEST) == texts:
        return samples
    return [
        {name: clipped(value, LONGEST) if isinstance(value, str) else value for name, value in sample.items()}
        for sample in samples
    ]


A_FILE = 400
"""Approximate number of runs in one file."""


def digits_of(runs: int) -> int:
    """The number of digits of the pages' names by which runs are sorted into files."""
    return 0 if runs <= A_FILE else 1 if runs <= 16 * A_FILE else 2


def run_files(
    runs: Sequence[ScoredRun],
    sections: Sequence[Section],
    records: Records,
    metrics: Mapping[str, Metric] | None = None,
) -> Iterator[tuple[str, str]]:
    """The names and texts of the script files, in order; each has the titles of its runs' metrics."""
    places = {
        page: OverviewPlace(address, panel, cell)
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
        labels = labels_of((measure.metric for run in some for measure in run.measures), metrics)
        told = {label.name: [label.title, label.form] for label in labels}
        yield (
            name,
            f"Object.assign((window.slubench.inputs ??= {{}}), {script_json(INPUTS)});\n"
            f"Object.assign((window.slubench.metrics ??= {{}}), {script_json(told)});\n"
            f"Object.assign((window.slubench.runs ??= {{}}), {script_json(content)});\n",
        )
