"""What version 0.1.0 trained is found again: fingerprints as it gave them, stored as data."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from slubench.data.editions import MINI
from slubench.domain.budget import Budget
from slubench.domain.run import Run
from slubench.domain.selection import renamed
from slubench.pipeline.context import open_context
from slubench.pipeline.plan import plan

KEPT = json.loads((Path(__file__).parent / "fingerprints_0_1.json").read_text("utf-8"))
WAYS = ("speech", "text", "asr")


@pytest.mark.parametrize("kept", KEPT, ids=lambda kept: kept["run"])
def test_a_run_keeps_its_fingerprints(kept: dict[str, Any], home: Path) -> None:
    context = open_context(home=home, inputs=WAYS)
    registry = context.registry
    strategy = registry.strategy(kept["strategy"])
    located, weights = context.locate(context.model(None, MINI))
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
        selection=renamed(kept["selection"]),
        strategy_origin=registry.origin(strategy),
    )
    planned = plan(run, context)
    assert run.training == renamed(kept["training"])
    assert planned.trained == kept["train"]
    assert planned.answered == kept["answers"]
    assert planned.transcribed == kept["transcripts"]
    assert planned.owned == kept["own"]
