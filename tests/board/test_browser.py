"""The page in a real browser, opened from the disk."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, sync_playwright

from slubench.board import build
from tests.board.factory import grid, score_rows, write_rows

pytestmark = pytest.mark.slow

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
HOSTILE = "</script><img src=x onerror='window.ran=1'><script>window.ran=1</script>"
WAIT = 120_000  # milliseconds; a busy machine is no failure


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        reason = "Chromium is not installed (Debian: apt-get install chromium)"
        if os.environ.get("SLUBENCH_DEMAND") or os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"], timeout=WAIT)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("board")
    runs = [
        *grid(("massive-de", "massive-fr")),
        *grid(("massive-fr-to-de",), edition="full", seeds=(0,)),
        [row | {"strategy": HOSTILE, "task": HOSTILE} for row in score_rows(share=0.1)],
        score_rows(strategy="x" * 64, share=0.25),
    ]
    scores = write_rows(folder / "scores.parquet", [row for run in runs for row in run])
    return build([scores], folder / "site").page


def opened(browser: Browser, site: Path, hash_: str = "", **context: object) -> tuple[Page, list[str]]:
    """The page, and what went wrong on it: console errors, exceptions, requests that leave the folder."""
    page = browser.new_context(**context).new_page()  # type: ignore[arg-type]
    page.set_default_timeout(WAIT)
    wrong: list[str] = []

    def route(asked: Route) -> None:
        if not asked.request.url.startswith((site.parent.as_uri(), "data:")):
            wrong.append(f"request: {asked.request.url}")
        asked.continue_()

    page.route("**/*", route)
    page.on("console", lambda message: wrong.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: wrong.append(f"exception: {error}"))
    page.goto(site.as_uri() + hash_)
    return page, wrong


def strategies(page: Page, table: int = 0) -> list[str]:
    rows = page.locator("table.sortable").nth(table).locator("tbody tr:visible th")
    return rows.all_inner_texts()


def draw_everything(page: Page) -> None:
    for plot in page.locator(".plot").all():
        plot.scroll_into_view_if_needed()
    page.wait_for_function("!document.querySelector('.plot:not([data-drawn])')")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_plot_is_drawn_and_nothing_goes_wrong(browser: Browser, site: Path, scheme: str) -> None:
    page, wrong = opened(browser, site, color_scheme=scheme)
    draw_everything(page)
    assert page.locator(".plot svg path").count() > 50
    assert page.evaluate("window.ran") is None
    assert wrong == []


def test_dark_is_dark_and_the_button_changes_it(browser: Browser, site: Path) -> None:
    page, _ = opened(browser, site, color_scheme="dark")
    draw_everything(page)

    def paper() -> int:
        colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
        return int(colour.removeprefix("rgb(").split(",")[0])

    assert paper() < 60
    page.get_by_role("button", name="Theme").click()
    assert paper() > 200
    assert "theme=light" in page.url
    line = page.locator(".plot[data-drawn] svg text").first
    assert int(line.evaluate("e => getComputedStyle(e).fill").removeprefix("rgb(").split(",")[0]) < 150


def test_a_column_sorts_by_mouse_and_keyboard_and_says_so(browser: Browser, site: Path) -> None:
    page, _ = opened(browser, site)
    table = page.locator("table.sortable").nth(1)
    best_first = strategies(page, 1)
    head = table.get_by_role("columnheader", name="Strategy")
    head.get_by_role("button").click()
    assert head.get_attribute("aria-sort") == "ascending"
    assert strategies(page, 1) == sorted(best_first)
    head.get_by_role("button").focus()
    page.keyboard.press("Enter")
    assert head.get_attribute("aria-sort") == "descending"
    assert table.locator("[aria-sort]").count() == 1
    score = table.locator("th.drawn button")
    score.click()
    assert strategies(page, 1) == best_first
    seconds = table.get_by_role("columnheader", name="Training")
    seconds.get_by_role("button").click()
    place = seconds.evaluate("head => head.cellIndex")
    shown = table.locator("tbody tr").evaluate_all(f"rows => rows.map(r => +r.cells[{place}].dataset.order)")
    assert shown == sorted(shown)


def test_rows_are_filtered_and_the_address_keeps_what_was_chosen(browser: Browser, site: Path) -> None:
    page, _ = opened(browser, site)
    page.get_by_role("searchbox").fill("curriculum 5%")
    assert page.locator("#found").inner_text() == f"3 of {page.locator('.sortable tbody tr').count()} rows"
    assert page.locator(".panel:visible").count() == 3
    page.locator(".sortable:visible").nth(1).get_by_role("button", name="Intent").click()
    page.get_by_label("Cost").uncheck()
    again, wrong = opened(browser, site, "#" + page.url.partition("#")[2])
    assert again.get_by_role("searchbox").input_value() == "curriculum 5%"
    assert again.locator(".panel:visible").count() == 3
    heads = again.locator(".sortable:visible").nth(1)
    assert heads.get_by_role("columnheader", name="Intent").get_attribute("aria-sort") == "descending"
    assert again.get_by_role("columnheader", name="Training").count() == 0
    assert not again.get_by_label("Cost").is_checked()
    assert wrong == []


def test_what_no_row_holds_hides_every_table(browser: Browser, site: Path) -> None:
    page, _ = opened(browser, site, "#q=nothing-is-called-so")
    assert page.locator(".setting:visible").count() == 0
    assert page.locator("#found").inner_text().startswith("0 of ")
    page.get_by_role("searchbox").fill("")
    assert page.locator(".setting:visible").count() == page.locator(".setting").count()


def test_links_on_the_page_keep_the_filter_and_the_back_button_works(browser: Browser, site: Path) -> None:
    page, _ = opened(browser, site, "#q=curriculum")
    page.locator(".answers dt a").first.click()
    assert "q=curriculum" in page.url
    assert "at=massive-fr-to-de" in page.url
    page.go_back()
    assert "at=" not in page.url
    assert page.get_by_role("searchbox").input_value() == "curriculum"


@pytest.mark.parametrize("width", [320, 390, 768, 1280, 1920])
def test_no_width_makes_the_page_scroll_sideways(browser: Browser, site: Path, width: int) -> None:
    page, _ = opened(browser, site, viewport={"width": width, "height": 800})
    draw_everything(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    box = page.locator(".table-box").first
    assert box.evaluate("e => e.scrollWidth >= e.clientWidth")
    if width < 800:
        box.evaluate("e => e.scrollLeft = 400")
        assert box.locator("tbody th").first.evaluate("e => e.getBoundingClientRect().left") >= 0


def test_tables_tell_a_screen_reader_what_they_are(browser: Browser, site: Path) -> None:
    page, _ = opened(browser, site)
    assert page.locator("table:not(:has(caption))").count() == 0
    assert page.locator("tbody th:not([scope=row]), thead th:not([scope])").count() == 0
    assert page.locator("h1").count() == 1
    levels = page.locator("h1, h2, h3, h4").evaluate_all("all => all.map(e => Number(e.tagName[1]))")
    assert all(later - earlier <= 1 for earlier, later in pairwise(levels))
    assert page.locator("[id]").evaluate_all("all => new Set(all.map(e => e.id)).size === all.length")


def test_it_prints_without_the_bar_and_with_every_column(browser: Browser, site: Path) -> None:
    page, _ = opened(browser, site, color_scheme="dark")
    draw_everything(page)
    page.emulate_media(media="print", color_scheme="dark")
    assert not page.locator("#bar").is_visible()
    assert page.locator(".table-box").first.evaluate("e => getComputedStyle(e).overflowX") == "visible"
    ink = page.evaluate("getComputedStyle(document.body).color")
    assert int(ink.removeprefix("rgb(").split(",")[0]) < 60


def test_without_scripts_the_tables_are_all_there(browser: Browser, site: Path) -> None:
    page, _ = opened(browser, site, java_script_enabled=False)
    assert page.locator("table.sortable tbody tr").count() > 40
    assert not page.locator("#bar").is_visible()
