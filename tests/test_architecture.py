"""docs/architecture.md says what the tree holds: floors, folders, paths, kinds of declarations."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from slubench.registry.kinds import KINDS, Kind
from tests.test_floors import FLOORS, PACKAGE

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "architecture.md").read_text("utf-8")
SETTLED = sorted((ROOT / "docs" / "decisions").glob("*.md"))
PLACES = ("benchmark", "tasks", "strategies", "leaderboard", "adapters_registry", "tests", "docs", "tools")


def section(title: str) -> str:
    """What stands under a heading."""
    return PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def rows(title: str) -> list[list[str]]:
    """The cells of the table under a heading, its head left out."""
    lines = [line for line in section(title).splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def code(text: str) -> list[str]:
    return re.findall(r"`([^`]+)`", text)


def paths() -> Iterator[str]:
    """Every path of the repository that the page names."""
    for text in code(PAGE):
        if "/" in text and text.split("/")[0] in PLACES:
            yield text


def test_the_floors_are_those_that_are_enforced() -> None:
    told = [(int(number), set(code(rooms))) for number, rooms, _ in rows("Floors")]
    assert told == [(number, set(rooms)) for number, rooms in enumerate(FLOORS, 1)]


def test_every_folder_of_the_package_is_named() -> None:
    folders = {path.name for path in PACKAGE.iterdir() if path.is_dir() and any(path.glob("*.py"))}
    assert folders <= {room for _, rooms, _ in rows("Floors") for room in code(rooms)}


def test_the_page_names_paths() -> None:
    assert len(set(paths())) > 25


@pytest.mark.parametrize("path", sorted(set(paths())))
def test_every_path_is_there(path: str) -> None:
    assert (ROOT / path).exists()
    assert (ROOT / path).is_dir() == path.endswith("/")


@pytest.mark.parametrize("page", [ROOT / "docs" / "architecture.md", ROOT / "CONTRIBUTING.md", *SETTLED])
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text("utf-8")):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), target


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_kind_has_a_row(kind: Kind) -> None:
    assert any(re.match(rf"a {kind.name}\b", what) for what, *_ in rows("Where do I put a new ..."))


def test_decisions_are_numbered_once_in_order() -> None:
    numbers = [int(path.name[:4]) for path in SETTLED]
    assert numbers == list(range(1, len(numbers) + 1))
