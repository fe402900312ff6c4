"""A row that trained for fewer updates than its cell has says so, and files from before are read."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from rich.console import Console

from slubench.board.panels import panels_of
from slubench.board.read.scores import read_scores
from slubench.board.runs import runs_of
from slubench.board.terminal import result_table
from slubench.schemas import SCORES
from tests.board.made_scores import score_rows

FEWER = score_rows(strategy="short-first", updates=7, cell_updates=500)
ALL = score_rows(strategy="curriculum", updates=500, cell_updates=500)
UNKNOWN = score_rows(strategy="direct-mix", updates=250, cell_updates=None)
NOTHING = score_rows(strategy="zero-shot", share=0.0, cell_updates=500)
ROWS = [*FEWER, *ALL, *UNKNOWN, *NOTHING]


def test_the_terminal_says_how_many_of_how_many() -> None:
    console = Console(width=200, record=True)
    console.print(result_table(ROWS))
    printed = " ".join(console.export_text().split())
    assert printed.count("7 of 500") == 2
    assert "trained for 7 of 500 updates." in printed
    assert "500 of 500" not in printed


def test_the_page_says_it_in_a_note() -> None:
    table = pa.Table.from_pylist(ROWS, schema=SCORES)
    (panel,) = panels_of(runs_of(table))
    (note,) = [note for note in panel.notes if "updates" in note]
    assert note.startswith("short-first at 5")
    assert note.endswith("trained for 7 of 500 updates.")


def test_a_score_file_from_before_is_read(tmp_path: Path) -> None:
    path = tmp_path / "before.parquet"
    pq.write_table(pa.Table.from_pylist(UNKNOWN, schema=SCORES).drop_columns(["cell_updates"]), path)
    found = read_scores([path])
    assert found.refused == ()
    assert found.table.column("cell_updates").null_count == len(found.table) == len(UNKNOWN)
