"""The overview in a real browser, opened from the disk."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.board.browser import brightness, draw_everything, opened, tables

pytestmark = pytest.mark.slow


def unfold(page: Page) -> None:
    """Show the list of column groups."""
    page.locator(".folding summary").click()


def strategies(page: Page, table: int = 0) -> list[str]:
    rows = page.locator("table.sortable").nth(table).locator("tbody tr:visible th")
    return [name.strip() for name in rows.all_text_contents()]


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
    assert brightness(page) < 60
    page.get_by_role("button", name="Theme").click()
    assert brightness(page) > 200
    assert "theme=light" in page.url
    assert brightness(page, "fill", ".plot[data-drawn] svg text") < 150


def test_a_column_sorts_by_mouse_and_keyboard_and_says_so(browser: Browser, site: Path) -> None:
    page, _ = opened(browser, site)
    # Of each panel there are the results and, folded, all metrics.
    table = page.locator("table.sortable").nth(2)
    by_budget = strategies(page, 2)
    assert table.locator("[aria-sort]").count() == 0
    head = table.get_by_role("columnheader", name="Strategy")
    head.get_by_role("button").click()
    assert head.get_attribute("aria-sort") == "ascending"
    assert strategies(page, 2) == sorted(by_budget)
    head.get_by_role("button").focus()
    page.keyboard.press("Enter")
    assert head.get_attribute("aria-sort") == "descending"
    assert table.locator("[aria-sort]").count() == 1
    table.locator("th.drawn button").click()
    scores = table.locator("tbody td.drawn").evaluate_all("cells => cells.map(c => +c.dataset.order)")
    assert scores == sorted(scores, reverse=True)
    unfold(page)
    page.get_by_role("checkbox", name="Cost").check()
    seconds = table.get_by_role("columnheader", name="Training")
    seconds.get_by_role("button").click()
    place = seconds.evaluate("head => head.cellIndex")
    shown = table.locator("tbody tr").evaluate_all(f"rows => rows.map(r => +r.cells[{place}].dataset.order)")
    assert shown == sorted(shown)


def test_rows_are_filtered_and_the_address_keeps_what_was_chosen(browser: Browser, site: Path) -> None:
    page, _ = opened(browser, site)
    page.get_by_role("searchbox").fill("curriculum 5%")
    assert page.locator("#found").inner_text() == f"3 of {tables(page).locator('tbody tr').count()} rows"
    assert tables(page).locator("tbody tr:visible").count() == 3
    assert page.locator(".panel:visible").count() == 3
    page.locator(".sortable:visible").nth(1).get_by_role("button", name="Intent").click()
    unfold(page)
    page.get_by_role("checkbox", name="Text input", exact=True).uncheck()
    page.get_by_role("checkbox", name="Cost").check()
    again, wrong = opened(browser, site, "#" + page.url.partition("#")[2])
    assert again.get_by_role("searchbox").input_value() == "curriculum 5%"
    assert again.locator(".panel:visible").count() == 3
    heads = again.locator(".sortable:visible").nth(1)
    assert heads.get_by_role("columnheader", name="Intent").get_attribute("aria-sort") == "descending"
    assert heads.get_by_role("columnheader", name="Gap").count() == 0
    assert heads.get_by_role("columnheader", name="Training").count() == 1
    unfold(again)
    assert not again.get_by_role("checkbox", name="Text input", exact=True).is_checked()
    assert again.get_by_role("checkbox", name="Cost").is_checked()
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


def test_it_prints_without_the_bar_and_with_whole_tables(browser: Browser, site: Path) -> None:
    page, _ = opened(browser, site, color_scheme="dark")
    draw_everything(page)
    page.emulate_media(media="print", color_scheme="dark")
    assert not page.locator("#bar").is_visible()
    assert page.locator(".table-box").first.evaluate("e => getComputedStyle(e).overflowX") == "visible"
    assert brightness(page, "color") < 60
    heads = tables(page).first.locator(".heads th:visible .title").all()
    assert len(heads) > 8
    assert all(head.is_visible() for head in heads)
    assert not page.locator(".asking:visible, .against:visible").count()
    assert len(page.pdf()) > 50_000


def test_without_scripts_the_tables_are_all_there(browser: Browser, site: Path) -> None:
    page, _ = opened(browser, site, java_script_enabled=False)
    assert page.locator("table.sortable tbody tr").count() > 40
    assert not page.locator("#bar").is_visible()
    assert page.locator(".headline .line").first.is_visible()
    assert page.locator(".headline:visible svg path").count() > 10
    # What scripts would show on demand stands there.
    assert tables(page).first.get_by_role("columnheader", name="Command").first.is_visible()


def chosen(page: Page, title: str, option: str) -> None:
    page.locator(f"#choices select[name={title.lower()}]").select_option(option)


def test_choices_narrow_what_is_shown_and_stand_in_the_address(browser: Browser, site: Path) -> None:
    page, wrong = opened(browser, site)
    chosen(page, "Edition", "mini")
    chosen(page, "Task", "massive-de")
    assert page.locator(".panel:visible h3 .task").all_text_contents() == ["massive-de"]
    chosen(page, "Speech", "5\u202f%")
    assert {text.strip() for text in page.locator(".budget:visible").all_text_contents()} == {"5\u202f%"}
    again, _ = opened(browser, site, "#" + page.url.partition("#")[2])
    assert again.locator("#found").inner_text() == page.locator("#found").inner_text()
    assert again.locator("#choices select[name=edition]").input_value() == "mini"
    chosen(page, "Speech", "")
    chosen(page, "Task", "")
    chosen(page, "Edition", "")
    assert page.locator(".panel:visible").count() == page.locator(".panel").count()
    assert "=" not in page.url
    assert wrong == []


def test_what_is_not_verified_is_marked_and_can_be_left_out(browser: Browser, site: Path) -> None:
    page, _ = opened(browser, site)
    marked = page.locator("tr[data-proof=claimed] th bdi")
    assert set(marked.all_text_contents()) == {"handed-in (claimed)"}
    chosen(page, "Proof", "verified")
    assert page.locator("tr[data-proof=claimed]:visible").count() == 0
    assert page.locator("tr[data-proof=local]:visible").count() > 40
    chosen(page, "Proof", "unverified")
    assert strategies_shown(page) == {"handed-in (claimed)"}


def strategies_shown(page: Page) -> set[str]:
    return {name.strip() for name in page.locator("tbody tr:visible th bdi").all_text_contents()}


def test_matrices_are_looked_at_one_choice_at_a_time(browser: Browser, site: Path) -> None:
    page, _ = opened(browser, site)
    listed = page.get_by_label("Strategy and speech")
    assert page.locator(".squares:visible").count() == 1
    listed.select_option("curriculum, 5\u202f%")
    assert page.locator(".squares:visible").get_attribute("data-choice") == "curriculum, 5\u202f%"
    again, _ = opened(browser, site, "#" + page.url.partition("#")[2])
    assert again.get_by_label("Strategy and speech").input_value() == "curriculum, 5\u202f%"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(browser: Browser, site: Path, scheme: str) -> None:
    page, _ = opened(browser, site, color_scheme=scheme)
    page.locator("details").first.evaluate(
        "e => document.querySelectorAll('details').forEach(d => d.open = true)"
    )
    draw_everything(page)
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    assert [
        (one["id"], one["nodes"][0]["html"]) for one in found if one["impact"] in ("serious", "critical")
    ] == []
