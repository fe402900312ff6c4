"""The pages of a run and of a strategy in a real browser, opened from the disk."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.board.browser import HOSTILE, brightness, draw_everything, opened

pytestmark = pytest.mark.slow


def pages(site: Path) -> dict[str, tuple[Path, str]]:
    found = re.search(r'href="run\.html(#[0-9a-f]{12})" title="its 3 runs"', site.read_text("utf-8"))
    assert found is not None
    return {
        "run": (site.parent / "run.html", found[1]),
        "strategy": (site.parent / "strategies" / "curriculum.html", ""),
    }


def test_a_row_leads_to_its_runs_and_its_strategy(browser: Browser, site: Path) -> None:
    page, wrong = opened(browser, site, "#q=massive-de+curriculum+5%25")
    row = page.locator("table.sortable:visible tbody tr:visible").first
    row.locator(".budget a").click()
    page.wait_for_selector(".peers")
    assert page.locator("h1").inner_text().replace("\u202f", " ") == "curriculum, 5 % of the speech"
    assert page.locator(".peers a").count() == 2
    before = page.locator(".facts").first.inner_text()
    page.locator(".peers a").first.click()
    expect(page.locator(".peers strong")).to_have_text("1")
    assert page.locator(".facts").first.inner_text() != before
    page.locator(".trail a").nth(1).click()
    assert page.url.endswith("strategies/curriculum.html")
    assert page.locator("table.sortable").count() >= 3
    page.locator(".trail a").first.click()
    assert page.url.endswith("index.html")
    assert wrong == []


def test_a_run_shows_curve_answers_ledger_and_command(browser: Browser, site: Path) -> None:
    path, hash_ = pages(site)["run"]
    page, wrong = opened(browser, path, hash_, permissions=["clipboard-read", "clipboard-write"])
    draw_everything(page)
    assert page.locator(".plot svg path").count() > 3
    shown = page.locator(".samples li")
    assert shown.count() == 2
    assert shown.nth(1).locator("q").inner_text().strip('\u201c\u201d"') == HOSTILE
    assert page.evaluate("window.ran") is None
    assert page.get_by_role("heading", name="Ledger").count() == 1
    page.get_by_role("button", name="Copy").click()
    page.get_by_role("button", name="Copied").wait_for()
    command = str(page.evaluate("navigator.clipboard.readText()"))
    assert command == page.locator("#command").inner_text()
    assert command.startswith("slubench run --edition ")
    assert wrong == []


@pytest.mark.parametrize("hash_", ["", "#nothing", "#000000000000", "#../../x", "#%00"])
def test_a_run_that_is_not_there_is_told_so(browser: Browser, site: Path, hash_: str) -> None:
    page, wrong = opened(browser, site.parent / "run.html", hash_)
    page.get_by_text("links to its runs").wait_for()
    assert wrong == []


def test_a_strategy_shows_its_file_as_text(browser: Browser, site: Path) -> None:
    path, _ = pages(site)["strategy"]
    page, wrong = opened(browser, path, permissions=["clipboard-read", "clipboard-write"])
    assert HOSTILE in page.locator("#source").inner_text()
    assert page.evaluate("window.ran") is None
    page.get_by_role("button", name="Copy").click()
    page.get_by_role("button", name="Copied").wait_for()
    assert HOSTILE in str(page.evaluate("navigator.clipboard.readText()"))
    names = page.locator("tbody th bdi:visible").all_inner_texts()
    assert set(names) == {"curriculum"}
    updates = page.locator(".heads th .title", has_text="Updates").first
    assert not updates.is_visible()
    page.get_by_role("button", name="All columns").click()
    assert updates.is_visible()
    assert wrong == []


def test_the_theme_goes_along_from_page_to_page(browser: Browser, site: Path) -> None:
    page, _ = opened(browser, site, color_scheme="dark")
    page.get_by_role("button", name="Theme").click()
    for path, hash_ in pages(site).values():
        page.goto(path.as_uri() + hash_)
        assert brightness(page) > 200


@pytest.mark.parametrize("kind", ["run", "strategy"])
@pytest.mark.parametrize("width", [320, 390, 1280])
def test_no_width_makes_a_page_scroll_sideways(browser: Browser, site: Path, kind: str, width: int) -> None:
    path, hash_ = pages(site)[kind]
    page, _ = opened(browser, path, hash_, viewport={"width": width, "height": 800})
    settled(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("kind", ["run", "strategy"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(browser: Browser, site: Path, kind: str, scheme: str) -> None:
    path, hash_ = pages(site)[kind]
    page, _ = opened(browser, path, hash_, color_scheme=scheme)
    settled(page)
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    assert [
        (one["id"], one["nodes"][0]["html"]) for one in found if one["impact"] in ("serious", "critical")
    ] == []


@pytest.mark.parametrize("kind", ["run", "strategy"])
def test_pages_print_in_light_without_buttons(browser: Browser, site: Path, kind: str) -> None:
    path, hash_ = pages(site)[kind]
    page, _ = opened(browser, path, hash_, color_scheme="dark")
    settled(page)
    page.emulate_media(media="print", color_scheme="dark")
    assert brightness(page, "color") < 60
    assert page.locator("button:visible:not(.heads button)").count() == 0


def settled(page: Page) -> None:
    page.wait_for_selector(".part")
    draw_everything(page)
