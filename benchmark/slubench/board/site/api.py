"""JSON and CSV beside the page: one file of each for every table, and an index of them."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from io import StringIO
from pathlib import Path
from typing import Any

from slubench.board.panel import Estimate, Panel
from slubench.board.site.page import Section, headlines_of
from slubench.board.site.tables import Filled, filled
from slubench.board.text import heading, plain_text
from slubench.board.view import Table, View

FORMAT = 1
"""Version of the JSON; it rises when a key is renamed or goes."""


def panel_json(panel: Panel) -> dict[str, Any]:
    """One task within one setting: its identity, and a row a cell with all that was measured.

    Numbers are in the unit of the score rows: metrics in [0, 1], seconds, bytes.
    """
    setting = panel.setting
    return {
        "task": panel.task,
        "heading": plain_text(heading(panel)),
        "corpus": panel.corpus,
        "corpus_revision": panel.revision or None,
        "test_in": panel.test_in,
        "speech_in": list(panel.speech_in),
        "text_in": list(panel.text_in),
        "target": panel.target or None,
        "edition": setting.edition,
        "model": setting.model,
        "track": setting.track,
        "data_track": setting.data_track,
        "ruleset": setting.ruleset,
        "rules": setting.rules,
        "evidence": setting.edition != "mini",
        "notes": list(panel.notes),
        "rows": [
            {
                "strategy": cell.strategy,
                "speech": cell.speech,
                "speech_share": cell.share,
                "uses_speech": cell.uses_speech,
                "ranks": list(cell.ranks) if cell.ranks is not None else None,
                "tier": cell.tier,
                "engine": cell.engine,
                "serving": cell.serving,
                "seeds": [list(pair) for pair in cell.seeds],
                "runs": list(cell.runs),
                "command": cell.command,
                "counts": dict(cell.counts),
                "measures": [
                    {
                        "metric": measure.metric,
                        "input": measure.input,
                        "normalised": measure.normalised,
                        **_estimate(estimate),
                    }
                    for measure, estimate in sorted(cell.measures.items())
                ],
            }
            for cell in panel.cells
        ],
    }


def board_json(panels: Sequence[Panel]) -> dict[str, Any]:
    """The whole board in one object, for `slubench leaderboard show --json`."""
    return {"format": FORMAT, "tables": [panel_json(panel) for panel in panels]}


def write_api(out: Path, sections: Sequence[Section], views: Sequence[View]) -> None:
    """Write `api/index.json`, and for each table a JSON and a CSV file; former ones go."""
    making, folder = out / ".api.tmp", out / "api"
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(parents=True)
    lines = {one.address: one.lines[0].line for one in headlines_of(sections, views)}
    tables = []
    for section in sections:
        for address, panel in section.panels:
            told = panel_json(panel)
            (making / f"{address}.json").write_text(_json({"format": FORMAT, **told}), "utf-8")
            sheets = []
            for view in views:
                if isinstance(view.shows, Table) and (made := filled(view.shows, panel)).rows:
                    name = f"{address}-{view.name}.csv"
                    (making / name).write_text(csv_of(made), "utf-8", newline="")
                    sheets.append(name)
            named = (
                "task",
                "heading",
                "target",
                "edition",
                "model",
                "track",
                "data_track",
                "ruleset",
                "evidence",
            )
            tables.append(
                {name: told[name] for name in named}
                | {"headline": plain_text(lines[address]) if address in lines else None}
                | {"rows": len(panel.cells), "json": f"{address}.json", "csv": sheets}
            )
    (making / "index.json").write_text(_json({"format": FORMAT, "tables": tables}), "utf-8")
    shutil.rmtree(folder, ignore_errors=True)
    making.rename(folder)


def csv_of(made: Filled) -> str:
    """A table as CSV, with scores in points as on the page; drawn intervals have columns of their own."""
    file = StringIO()
    writer = csv.writer(file)
    sheet = list(_sheet(made))
    writer.writerow([title for titles, _ in sheet for title in titles])
    for parts in zip(*(values for _, values in sheet), strict=True):
        writer.writerow([value for part in parts for value in part])
    return file.getvalue()


def _sheet(made: Filled) -> Iterator[tuple[list[str], list[list[str]]]]:
    titles = [column.title for column in made.columns]
    for column, entries in zip(made.columns, made.entries, strict=True):
        again = titles.count(column.title) > 1 and column.group
        title = f"{column.title} ({column.group.lower()})" if again else column.title
        if column.drawn:
            yield (
                [title, f"{title}, interval"],
                [[_harmless(one.text), _harmless(one.aside)] for one in entries],
            )
        else:
            yield [title], [[_harmless(one.text)] for one in entries]


def _harmless(text: str) -> str:
    """Plain signs and spaces; what a spreadsheet would take for a formula is marked as text."""
    plain = plain_text(text)
    number = plain.lstrip("+-").replace(".", "").isdecimal()
    return f"'{plain}" if plain[:1] in ("=", "+", "@", "-", "\t", "\r") and not number else plain


def _estimate(estimate: Estimate) -> Mapping[str, Any]:
    return {
        "value": estimate.value,
        "low": estimate.low,
        "high": estimate.high,
        "seeds": estimate.seeds,
        "interval": plain_text(estimate.kind) or None,
    }


def _json(content: Any) -> str:
    return json.dumps(content, ensure_ascii=False, indent=1, allow_nan=False) + "\n"
