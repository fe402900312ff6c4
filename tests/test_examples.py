"""Every strategy that README, docs and `slubench new strategy` show beats the untrained model."""

from __future__ import annotations

import json
import re
import string
from collections.abc import Iterator
from pathlib import Path

import pytest

from slubench import Pool
from slubench.conformance.stand_in import say_nothing, stand_in
from slubench.domain.budget import Budget
from slubench.domain.model import smallest_track
from slubench.registry import strategy_in
from slubench.trainset.own_choice import choose_clips
from slubench.trainset.rules import beyond_budget, beyond_updates
from slubench.trainset.train_set import compose, exposure
from tests.command import slubench
from tests.trainset.test_train_set import BATCH, corpus

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
    """SLU-F1 on the speech of the mini edition's English, trained and evaluated on 300 utterances."""
    options: tuple[str, ...] = (
        "--task",
        "slurp",
        "--edition",
        "mini",
        "--engine",
        "transformers",
        "--limit",
        "300",
    )
    if Path(strategy).is_file():
        options += ("--track", smallest_track(strategy_in(Path(strategy)).trains))
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


@pytest.mark.parametrize("text", EXAMPLES)
def test_an_example_composes_within_the_rules(text: str, tmp_path: Path) -> None:
    strategy = strategy_in(Path(example(text, tmp_path)))
    rows, budget = corpus(), Budget.parse(SPEECH)
    bought = budget.buy(rows, 0, lambda utterance: 3.0)
    if strategy.choose is not None:
        bought = choose_clips(strategy, rows, budget, 0, lambda utterance: 1.0 + len(utterance.text))
        assert len(bought) == budget.count(len(rows))
    pool = Pool({"de": rows}, {"de": bought}, budget)
    cell = exposure(len(rows), len(rows), len(bought), BATCH)
    stages = compose(strategy, pool, cell, 0, stand_in(pool), say_nothing)
    assert not [*beyond_updates(stages, cell), *beyond_budget(strategy, stages, pool, cell)]
    assert all(stage.examples or not stage.stage.share for stage in stages)


@pytest.mark.slow
@pytest.mark.parametrize("text", EXAMPLES)
def test_an_example_learns(text: str, zero_shot: float, home: Path, tmp_path: Path) -> None:
    assert f1(example(text, tmp_path), home, SPEECH) > zero_shot + 0.01
