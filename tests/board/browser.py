"""Opens pages of a leaderboard in Debian's Chromium, from the disk, and notes what goes wrong on them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Locator, Page, Route, expect, sync_playwright

from slubench.board import build, read_scores
from tests.board.made_records import record, sample, write_records
from tests.board.made_scores import grid, score_rows, write_rows
from tests.lacking import lacking

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
HOSTILE = "</script><img src=x onerror='window.ran=1'><script>window.ran=1</script>"
WAIT = 120_000  # milliseconds; a busy machine is no failure


@contextmanager
def chromium() -> Iterator[Browser]:
    """One browser for all tests of a module; without it they are skipped, or fail if demanded."""
    if CHROMIUM is None:
        lacking("Chromium is not installed (Debian: apt-get install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"], timeout=WAIT)
        expect.set_options(timeout=WAIT)
        yield browser
        browser.close()


def tables(page: Page, view: str = "results") -> Locator:
    return page.locator(f"table.sortable[id$=-{view}]")


def made_site(folder: Path) -> Path:
    """A leaderboard of made rows in two editions and three tasks, with hostile names, claims and records."""
    runs = [
        *grid(("massive-de", "massive-fr")),
        *grid(("massive-fr-to-de",), edition="full", seeds=(0,)),
        [row | {"strategy": HOSTILE, "task": HOSTILE} for row in score_rows(share=0.1)],
        score_rows(strategy="x" * 64, share=0.25),
        score_rows(strategy="handed-in", share=0.05, tier="claimed"),
    ]
    scores = write_rows(folder / "scores.parquet", [row for run in runs for row in run])
    hostile = {"facts": [(HOSTILE, HOSTILE)], "strategy_source": f'"""{HOSTILE}"""\n'}
    fingerprints = read_scores([scores]).table.column("scores_fingerprint").unique().to_pylist()
    replies = [
        sample(reply=HOSTILE),
        sample(input_kind="text", right=False),
        sample("9", right=False, said=HOSTILE),
    ]
    write_records(scores, *(record(one, samples=replies, **hostile) for one in fingerprints[:-1]))
    return build([scores], folder / "site").page


def opened(browser: Browser, page_file: Path, hash_: str = "", **context: Any) -> tuple[Page, list[str]]:
    """The page, and what went wrong on it: console errors, exceptions, requests that leave the folder."""
    page = browser.new_context(**context).new_page()
    page.set_default_timeout(WAIT)
    wrong: list[str] = []
    root = page_file.parent.parent if page_file.parent.name == "strategies" else page_file.parent

    def route(requested: Route) -> None:
        if not requested.request.url.startswith((root.as_uri(), "data:")):
            wrong.append(f"request: {requested.request.url}")
        requested.continue_()

    page.route("**/*", route)
    page.on("console", lambda message: wrong.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: wrong.append(f"exception: {error}"))
    page.goto(page_file.as_uri() + hash_)
    return page, wrong


def draw_everything(page: Page) -> None:
    """Scroll every plot into view and wait until all are drawn."""
    for plot in page.locator(".plot:visible").all():
        plot.scroll_into_view_if_needed()
    expect(page.locator(".plot:visible:not([data-drawn])")).to_have_count(0)


def brightness(page: Page, colour: str = "backgroundColor", of: str = "body") -> int:
    """The red part of a colour: low for dark ones."""
    found: str = page.locator(of).first.evaluate(f"e => getComputedStyle(e).{colour}")
    return int(found.partition("(")[2].split(",")[0])
