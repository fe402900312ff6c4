"""Every strategy that README, docs and `slubench new strategy` show beats the untrained model."""

from __future__ import annotations

import json
import re
import string
from collections.abc import Iterator
from pathlib import Path

import pytest

from slubench.registry import strategy_in
from tests.command import slubench

ROOT = Path(__file__).resolve().parents[1]
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
SPEECH = "5%"


def shown() -> Iterator[tuple[str, str]]:
    """What declares a strategy, with the place where it is shown."""
    for page in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))):
        for number, match in enumerate(BLOCK.finditer(page.read_text("utf-8")), 1):
            if re.search(r"= Strategy\(", match.group(1)):
                yield f"{page.relative_to(ROOT)} {number}", match.group(1)
    text = (ROOT / "benchmark" / "slubench" / "cli" / "new_strategy.txt").read_text("utf-8")
    names = {"title": "My idea", "name": "my-idea", "constant": "MY_IDEA"}
    yield "slubench new strategy", string.Template(text).substitute(names)


EXAMPLES = [pytest.param(text, id=place) for place, text in shown()]


def f1(strategy: str, home: Path, speech: str) -> float:
    """SLU-F1 on the speech of the mini edition's English, which has the fewest updates."""
    options = ("--task", "slurp", "--edition", "mini", "--engine", "transformers")
    ran = slubench("run", *options, "--strategy", strategy, "--speech", speech, "--home", home, "--json")
    wanted = {"metric": "slu_f1", "input": "speech", "slice_by": "all", "normalised": True}
    (value,) = [row["value"] for row in json.loads(ran.stdout) if wanted.items() <= row.items()]
    return float(value)


@pytest.fixture(scope="module")
def zero_shot(tmp_path_factory: pytest.TempPathFactory) -> float:
    return f1("zero-shot", tmp_path_factory.mktemp("zero-shot"), "0")


def example(text: str, folder: Path) -> str:
    """A file of that text, under a name that no strategy on the shelf has."""
    path = folder / "example.py"
    path.write_text(re.sub(r'name="([^"]*)"', r'name="example-\1"', text), "utf-8")
    return str(path)


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 3


@pytest.mark.parametrize("text", EXAMPLES)
def test_an_example_declares_one_strategy(text: str, tmp_path: Path) -> None:
    assert strategy_in(Path(example(text, tmp_path))).stages


@pytest.mark.slow
@pytest.mark.parametrize("text", EXAMPLES)
def test_an_example_learns(text: str, zero_shot: float, home: Path, tmp_path: Path) -> None:
    assert f1(example(text, tmp_path), home, SPEECH) > zero_shot + 0.01
