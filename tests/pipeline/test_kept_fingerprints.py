"""What version 0.1.0 trained is found again: fingerprints as it gave them, stored as data."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from slubench.data.editions import EDITIONS
from slubench.domain.budget import Budget
from slubench.domain.run import Run
from slubench.pipeline.context import Machine
from slubench.pipeline.plan import plan
from slubench.registry import Registry
from slubench.registry.weights import choose_model, locate
from slubench.runtime.digest import Digests
from slubench.runtime.home import find_home

KEPT = json.loads((Path(__file__).parent / "fingerprints_0_1.json").read_text("utf-8"))
WAYS = ("speech", "text", "asr")


@pytest.mark.parametrize("kept", KEPT, ids=lambda kept: kept["run"])
def test_a_run_keeps_its_fingerprints(kept: dict[str, Any], home: Path) -> None:
    place = find_home(home)
    registry, digests, edition = Registry(place.root), Digests(place.digests), EDITIONS["mini"]
    strategy = registry.strategy(kept["strategy"])
    located, weights = locate(choose_model(edition.model, registry), digests)
    run = Run(
        task=registry.task(kept["task"]),
        strategy=strategy,
        budget=dataclasses.replace(Budget.parse(kept["speech"]), target=kept["target"]),
        model=located,
        weights=weights,
        track=kept["track"],
        data_seed=kept["data_seed"],
        train_seed=kept["train_seed"],
        edition="mini",
        selection=kept["selection"],
        strategy_origin=registry.origin(strategy),
    )
    planned = plan(run, Machine(place, edition.source(None, digests), "transformers", ways=WAYS))
    assert run.training == kept["training"]
    assert planned.trained == kept["train"]
    assert planned.answered == kept["answers"]
    assert planned.transcribed == kept["transcripts"]
    assert planned.owned == kept["own"]
