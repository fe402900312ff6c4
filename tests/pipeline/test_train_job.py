"""What a strategy declares reaches the job that trains it, and the ledger tells what was used."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pyarrow.parquet as pq
import pytest

from slubench import TEXT, Example, Pool, Stage, Strategy
from slubench.data.editions import EDITIONS
from slubench.domain.budget import Budget
from slubench.domain.ledger import Ledger
from slubench.domain.meaning import as_reply
from slubench.domain.run import Run
from slubench.pipeline.context import Context
from slubench.pipeline.plan import plan
from slubench.pipeline.train import told_updates, train
from slubench.registry import Registry
from slubench.registry.weights import choose_model, locate
from slubench.runtime.digest import Digests
from slubench.runtime.home import find_home

REGISTRY = Registry()


class Started(Exception):
    """The training process would start now."""


def job_of(strategy: Strategy, home: Path, says: list[str]) -> Path:
    """The folder of the job that a run of a strategy writes."""
    place = find_home(home)
    digests, edition = Digests(place.digests), EDITIONS["mini"]
    model, weights = locate(choose_model(edition.model, REGISTRY), digests)
    budget = Budget.parse("2")
    run = Run(
        task=REGISTRY.task("massive-de"), strategy=strategy, budget=budget, model=model, weights=weights
    )
    context = Context(place, REGISTRY, say=says.append)
    planned = plan(run, context)
    says.clear()
    found: list[Path] = []

    def start(module: str, job: Path) -> None:
        found.append(job.parent)
        raise Started

    with pytest.raises(Started):
        train(planned, context, start)
    return found[0]


def test_a_stage_trains_at_its_multiple_of_the_rate(home: Path) -> None:
    job = json.loads((job_of(REGISTRY.strategy("curriculum"), home, []) / "train.json").read_text("utf-8"))
    assert [stage["rate"] for stage in job["stages"]] == pytest.approx([5e-3, 3e-3])


def halves(pool: Pool, rng: Random) -> Iterator[Example]:
    for number, u in enumerate(pool.text()[:40]):
        yield Example((u.text.upper(),), as_reply(u.meaning), u.key, u.language, weight=0.5 * (number % 2))


def upper(utterance: object) -> list[str]:
    return [utterance.text.upper()]  # type: ignore[attr-defined]


def test_weights_updates_and_texts_of_its_own_are_kept(home: Path) -> None:
    stage = Stage(learns_from=TEXT, compose=halves, transform=upper, passes=1)
    says: list[str] = []
    folder = job_of(Strategy(name="halves", stages=(stage,)), home, says)
    rows = pq.read_table(folder / "lessons.parquet").to_pylist()
    assert [row["weight"] for row in rows[:4]] == [0.0, 0.5, 0.0, 0.5]
    ledger = Ledger.from_json(json.loads((folder / "ledger.json").read_text("utf-8")))
    assert (ledger.updates, ledger.cell_updates, ledger.texts_derived) == ((3,), 500, 40)
    derived = json.loads((folder / "derived.json").read_text("utf-8"))
    assert len(derived) == 40
    assert all(row["made"] == row["from"].upper() for row in derived)
    assert any("3 of 500 updates" in line for line in says)
    assert any("40 texts from the strategy's transform" in line for line in says)


def test_all_updates_are_told_by_their_number() -> None:
    assert told_updates(Ledger(updates=(250, 250), cell_updates=500)) == "500 updates"
    assert told_updates(Ledger(updates=(7,), cell_updates=500)) == "7 of 500 updates"
    assert told_updates(Ledger(updates=(7,))) == "7 updates"


def test_a_card_from_before_is_read() -> None:
    content = Ledger(updates=(5,)).to_json()
    del content["cell_updates"], content["texts_derived"]
    assert Ledger.from_json(content).cell_updates == 0
