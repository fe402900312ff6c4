"""What a reader takes from the overview in a real browser: CSV, Parquet, Markdown, LaTeX, BibTeX."""

from __future__ import annotations

import csv
from io import StringIO
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from playwright.sync_api import Browser

from tests.board.browser import opened, tables

pytestmark = pytest.mark.slow


def test_a_csv_file_holds_one_table_as_it_is_seen(browser: Browser, site: Path) -> None:
    page, _ = opened(browser, site, "#q=curriculum+5%25")
    table = tables(page).first
    page.locator(".paste:visible summary").first.click()
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV file").first.click()
    assert download.value.suggested_filename == f"{table.get_attribute('id')}.csv"
    text = Path(download.value.path()).read_bytes().decode("utf-8-sig")
    head, *rows = csv.reader(StringIO(text))
    assert head[:5] == ["Strategy", "Speech", "Seeds", "SLU-F1", "interval"]
    assert "SLU-F1 (text input)" in head
    assert len(head) == table.locator(".heads th:visible").count() + 1
    assert "Exposures" not in head
    assert [row[:2] for row in rows] == [["curriculum", "5%"]]
    shown = table.locator("tbody tr:visible td.drawn").first
    assert rows[0][3:5] == [shown.locator("b").text_content(), shown.locator("small").text_content()]


def test_the_parquet_holds_all_rows(browser: Browser, site: Path) -> None:
    page, _ = opened(browser, site, "#q=curriculum")
    with page.expect_download() as download:
        page.get_by_role("link", name="Parquet", exact=True).click()
    whole = pq.read_table(download.value.path())
    assert whole.num_rows == pq.read_metadata(site.parent.parent / "scores.parquet").num_rows
    assert "curriculum" in whole.column("strategy").to_pylist()
    assert "direct-mix" in whole.column("strategy").to_pylist()


def test_tables_are_pasted_as_markdown_and_latex(browser: Browser, site: Path) -> None:
    page, _ = opened(
        browser, site, "#q=massive-de+curriculum+5%25", permissions=["clipboard-read", "clipboard-write"]
    )
    page.locator(".paste:visible summary").first.click()
    box = page.locator(".paste[open]")
    box.get_by_role("button", name="Markdown").click()
    lines = box.locator("textarea").input_value().splitlines()
    assert lines[0].startswith("| Strategy | Speech | Seeds | SLU-F1 | interval |")
    assert set(lines[1]) <= set("| -")
    assert lines[2].startswith("| curriculum | 5\u202f% | 3 |")
    assert {line.count(" | ") for line in (lines[0], lines[2])} == {lines[0].count(" | ")}
    assert page.evaluate("navigator.clipboard.readText()") == "\n".join(lines)
    box.get_by_role("button", name="LaTeX").click()
    text = box.locator("textarea").input_value()
    assert text.startswith("\\begin{tabular}{lrr")
    assert "curriculum & 5\\,\\% & 3 & " in text
    assert text.endswith("\\end{tabular}")


def test_the_citation_is_pasted_as_bibtex(browser: Browser, site: Path) -> None:
    page, _ = opened(browser, site, permissions=["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="BibTeX").first.click()
    page.get_by_role("button", name="Copied").wait_for()
    assert str(page.evaluate("navigator.clipboard.readText()")).startswith("@software{slubench,")
    page.get_by_role("button", name="BibTeX").last.click()
    page.wait_for_function(
        "navigator.clipboard.readText().then(text => text.startsWith('@misc{choi2025exploring,'))"
    )


def test_without_a_clipboard_the_text_stands_there_selected(browser: Browser, site: Path) -> None:
    page, wrong = opened(browser, site)
    page.evaluate("() => {navigator.clipboard.writeText = () => Promise.reject(new Error('not allowed'))}")
    page.get_by_role("button", name="BibTeX").last.click()
    assert str(page.evaluate("getSelection().toString()")).startswith("@misc{choi2025exploring,")
    assert wrong == []
