"""The first screen of the overview in a real browser: the answer, its curve, and the plot of costs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.board.browser import draw_everything, opened, tables

pytestmark = pytest.mark.slow


def test_the_answer_is_on_the_first_screen_and_budgets_can_be_clicked(browser: Browser, site: Path) -> None:
    page, wrong = opened(browser, site, viewport={"width": 1280, "height": 800})
    line = page.locator(".headline .line:visible")
    expect(line).to_have_count(1)
    before = line.inner_text()
    assert before.replace("\u202f", " ").startswith("5 min of French speech, tested in German:")
    for shown in (line, page.locator(".headline:visible .plot")):
        box = shown.bounding_box()
        assert box is not None
        assert box["y"] + box["height"] < 800
    budgets = page.locator(".headline:visible .budgets button")
    assert budgets.locator("visible=true").count() == 5
    draw_everything(page)
    mark = page.locator(".headline:visible svg .mark-rule line[stroke-width='44']")
    at = mark.evaluate("e => e.getBoundingClientRect().x")
    budgets.last.click()
    assert line.inner_text() != before
    assert line.inner_text().replace("\u202f", " ").startswith("100 min of French speech")
    assert budgets.last.get_attribute("aria-pressed") == "true"
    page.wait_for_function(
        "at => document.querySelector(\".headline:not([hidden]) svg .mark-rule line[stroke-width='44']\")"
        "?.getBoundingClientRect().x > at + 50",
        arg=at,
    )
    again, _ = opened(browser, site, "#" + page.url.partition("#")[2])
    assert again.locator(".headline .line:visible").inner_text() == line.inner_text()
    assert wrong == []


def test_another_task_can_be_asked_about(browser: Browser, site: Path) -> None:
    page, wrong = opened(browser, site)
    before = page.locator(".headline .line:visible").inner_text()
    page.locator(".of-headlines:visible").select_option(index=1)
    expect(page.locator(".headline:visible")).to_have_count(1)
    after = page.locator(".headline .line:visible").inner_text()
    assert after != before
    again, _ = opened(browser, site, "#" + page.url.partition("#")[2])
    assert again.locator(".headline .line:visible").inner_text() == after
    page.go_back()
    assert wrong == []


def test_at_1280_pixels_a_row_of_results_fits(browser: Browser, site: Path) -> None:
    page, _ = opened(browser, site, viewport={"width": 1280, "height": 900})
    for box in page.locator(".table-box:has([id$=-results])").all():
        box.scroll_into_view_if_needed()
        # A name of 64 letters and markup as a name are cut; nothing else may be wider than the page.
        assert box.evaluate("e => e.scrollWidth - e.clientWidth") <= 0
    shown = tables(page).first.locator(".heads th:visible .title").all_text_contents()
    assert {"Strategy", "Speech", "Intent", "Exact match", "Gap"} <= {text.strip() for text in shown}
    assert not {"Updates", "Command"} & {text.strip() for text in shown}


def test_the_plot_of_costs_can_be_drawn_against_each(browser: Browser, site: Path) -> None:
    page, wrong = opened(browser, site)
    draw_everything(page)
    lists = page.locator(".against select")
    options = lists.first.locator("option").all_inner_texts()
    assert len(options) == 2  # made rows tell seconds and minutes
    plot = page.locator(".plot-cost svg").first
    before = plot.inner_html()
    lists.first.select_option(index=1)
    page.wait_for_function(
        "before => document.querySelector('.plot-cost svg').innerHTML !== before", arg=before
    )
    assert "against=minutes_bought" in page.url
    assert {one.input_value() for one in lists.all()} == {"minutes_bought"}
    assert wrong == []


def test_numbers_have_a_typographic_minus(browser: Browser, site: Path) -> None:
    page, _ = opened(browser, site)
    draw_everything(page)
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    texts = page.locator("tbody td:not(.words), .line, .note, .answers dd p, .plot text, .axis text")
    wrong = [text for text in texts.all_text_contents() if re.search(r"(?<![\w])-\d", text)]
    assert wrong == []
