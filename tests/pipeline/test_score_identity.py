"""What stands on a score row of what a run consumed, and what the page shows of it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from slubench import Strategy
from slubench.domain.budget import Budget
from slubench.domain.ledger import Ledger
from slubench.pipeline.fingerprints import scores_fingerprint
from slubench.pipeline.score import heard_in, identify
from slubench.registry.strategy_fingerprint import strategy_fingerprint
from slubench.runtime.home import Home
from tests.board.made_scores import panel, scored

LEDGER = Ledger(
    clips_there=200,
    clips_bought=20,
    clips_unique={"de": 11, "fr": 6},
    clip_exposures={"de": 70, "fr": 30},
    minutes_bought=2.5,
    minutes_unique={"de": 1.0, "fr": 0.5},
    minutes_exposed={"de": 8.0, "fr": 3.0},
    text_unique={"de": 120},
    text_exposures={"de": 300, "fr": 50},
    updates=(40, 60),
    cell_updates=125,
)
REPORT = {"engine": "e", "version": "1", "serving": "live", "seconds": 31.0}
TRAINING = {"flops": 1.5e12, "seconds": 77.0}


SPENDS = replace(Budget.parse("10%"), target="text")


@pytest.fixture
def row() -> dict[str, Any]:
    """The identity of a run that bought 20 clips, heard 17 of them, 100 times in all."""
    return identify(
        cast(Any, SimpleNamespace(
            test=SimpleNamespace(revision="r"), trained="f", answered="a", owned=None, run=SimpleNamespace(
            name="r", edition="mini", track="t", data_track="closed", rules="fixed",
            data_seed=3, train_seed=4,
            strategy=Strategy(name="s"), model=SimpleNamespace(name="m"),
            task=SimpleNamespace(
                name="t", corpus=SimpleNamespace(name="c"), test_in="de",
                speech_in=["fr"], text_in=["de", "fr"],
            ),
            spends=SPENDS, selects="val-text", weights="w", strategy_origin="",
        ))),
        cast(Any, SimpleNamespace(
            fingerprint="f", ledger=LEDGER, training=TRAINING, strategy_digest="d", weights="w"
        )),
        cast(Any, SimpleNamespace(fingerprint="a", report=REPORT)),
        {},
    )  # fmt: skip


def test_clips_heard_count_repeats_and_unique_ones_do_not(row: dict[str, Any]) -> None:
    assert (row["clips_bought"], row["clips_unique"], row["clip_exposures"]) == (20, 17, 100)


def test_each_column_of_a_row_is_the_one_that_it_is_called(row: dict[str, Any]) -> None:
    assert (row["data_seed"], row["train_seed"]) == (3, 4)
    assert (row["speech"], row["target"], row["selection"]) == ("10%", "text", "val-text")
    assert (row["test_in"], row["speech_in"], row["text_in"]) == ("de", ["fr"], ["de", "fr"])
    assert (row["minutes_bought"], row["minutes_exposed"]) == (2.5, 11.0)
    assert (row["text_rows"], row["updates"], row["cell_updates"]) == (350, 100, 125)
    assert (row["train_seconds"], row["answer_seconds"], row["flops"]) == (77.0, 31.0, 1.5e12)
    assert (row["engine"], row["serving"], row["tier"]) == ("e 1", "live", "local")
    assert (row["train_fingerprint"], row["answers_fingerprint"]) == ("f", "a")
    assert (row["strategy"], row["strategy_digest"], row["model_weights"]) == ("s", "d", "w")
    assert row["strategy_fingerprint"] == strategy_fingerprint(Strategy(name="s"))
    assert row["scores_fingerprint"] == scores_fingerprint(row)


def test_the_share_of_speech_is_what_was_bought_of_what_is_there(row: dict[str, Any]) -> None:
    assert row["speech_share"] == 0.1  # neither 17 of 200 nor 100 of 200


def test_a_score_on_text_stands_beside_its_own_interval(tmp_path: Path) -> None:
    (cell,) = panel(scored("direct-mix", 0.05, 0.6, text=0.9)).cells
    found = cell.estimate("slu_f1", "text")
    assert found is not None
    assert (found.low, found.value, found.high) == pytest.approx((0.87, 0.9, 0.93))


def test_what_an_adapter_heard_is_read_from_its_run(tmp_path: Path) -> None:
    home = Home(tmp_path)
    adapter = cast(Any, SimpleNamespace(ledger=LEDGER, stem="run-12345678"))
    assert heard_in(home, adapter) is None  # the run is not kept
    assert heard_in(home, None) is None
    folder = home.runs / adapter.stem
    folder.mkdir(parents=True)
    (folder / "consumed.json").write_text("[]", "utf-8")
    assert heard_in(home, adapter) is None
    content = {"heard": {"de": ["1", "2"]}, "read": {"de": ["3"]}, "watched": {"de": ["4"]}}
    (folder / "consumed.json").write_text(json.dumps(content), "utf-8")
    assert heard_in(home, adapter) == frozenset({("de", "1"), ("de", "2")})
    silent = cast(Any, SimpleNamespace(ledger=Ledger(), stem="x"))
    assert heard_in(home, silent) == frozenset()
