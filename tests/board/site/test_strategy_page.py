"""The page of a strategy: its file shown and never run, its own rows alone."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from slubench.board import build
from slubench.board.site.html import strategy_link
from slubench.board.site.strategy_page import docstring, highlighted
from tests.board.made_records import record, write_records
from tests.board.made_scores import grid, score_rows, write_rows


def page(tmp_path: Path, source: str | None) -> str:
    path = write_rows(tmp_path / "a.parquet", [row for run in grid() for row in run])
    if source is not None:
        (row, *_) = score_rows()
        write_records(path, record(row["scores_fingerprint"], strategy_source=source))
    build([path], tmp_path / "site")
    return (tmp_path / "site" / "strategies" / "curriculum.html").read_text("utf-8")


def test_it_shows_file_docstring_and_its_rows_alone(tmp_path: Path) -> None:
    text = page(tmp_path, '"""Read & listen.\n\nTwice.\n"""\nNAME = "mine"\n')
    assert "Read &amp; listen." in text
    assert '<p class="says">Twice.</p>' in text
    assert "strategies/curriculum.py" in text
    names = re.findall(r'<th scope="row".*?<bdi>(.*?)</bdi>', text)
    assert set(names) == {"curriculum"}
    assert len(re.findall(r'href="\.\./run\.html#[0-9a-f]{12}"', text)) == len(names) == 10


def test_without_a_record_it_says_so(tmp_path: Path) -> None:
    assert "The source is not stored with its scores" in page(tmp_path, None)


def test_a_hostile_file_is_shown_and_never_run(tmp_path: Path) -> None:
    source = '"""<img src=x>"""\nraise SystemExit("</code></pre><script>alert(1)</script>\u202e")\n'
    text = page(tmp_path, source)
    assert "<img" not in text
    assert "\u202e" not in text
    assert text.count("<script") == 1
    assert "&lt;img src=x&gt;" in text


@pytest.mark.parametrize("source", ["", "def (", "x = 1", "\x00", "(" * 5000])
def test_what_has_no_docstring_has_none(source: str) -> None:
    assert docstring(source) == ()
    assert "<script" not in highlighted(source)


def test_names_that_no_strategy_may_bear_are_hashed() -> None:
    assert strategy_link("direct-mix") == "strategies/direct-mix.html"
    for name in ("../../x", "a/b", "A", "", "x" * 65, "con\n"):
        assert re.fullmatch(r"strategies/x-[0-9a-f]{12}\.html", strategy_link(name))
