"""README and docs: their links lead somewhere, their commands exist, and the README's strategy is one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import typer

from slubench.cli.app import app
from slubench.registry import Registry

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
PAGES = [README, *sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / "docs" / "history").glob("*.md"))]


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives to a page's headings."""
    titles = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_to_a_file_and_a_heading(page: Path) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", page.read_text("utf-8"))
    for link in (link for link in links if not link.startswith("https://")):
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_exist(page: Path) -> None:
    group = typer.main.get_command(app)
    known = set(group.commands)  # type: ignore[attr-defined]
    text = page.read_text("utf-8")
    fenced = "\n".join(re.findall(r"^```\w*\n(.*?)^```", text, re.DOTALL | re.MULTILINE))
    named = re.findall(r"(?:`|^    )slubench ([a-z]+)", text, re.MULTILINE)
    named += re.findall(r"^(?:\$ )?slubench ([a-z]+)", fenced, re.MULTILINE)
    assert set(named) <= known
    assert page != README or {"run", "sweep", "check", "submit", "verify"} <= set(named)


def test_the_readme_is_short_and_its_strategy_is_declared(tmp_path: Path) -> None:
    text = README.read_text("utf-8")
    assert len(text.splitlines()) < 100
    (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    file = tmp_path / "short_first.py"
    file.write_text(code, "utf-8")
    strategy = Registry(tmp_path).strategy(str(file))
    assert strategy.name == "short-first"
    assert [stage.share for stage in strategy.stages] == [0.5, 0.5]
