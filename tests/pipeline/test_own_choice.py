"""A run of a strategy that chooses its own clips: bought, counted, identified and verified as such."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from random import Random

import pyarrow.parquet as pq

from slubench import SPEECH, TEXT, Candidate, SpeechBudget, SpeechOffer, Stage, Strategy
from slubench.domain.ledger import BY_HASH, BY_STRATEGY, Ledger
from slubench.pipeline.fingerprints import values_of
from slubench.registry import strategy_in
from slubench.registry.static_read import read_strategy
from slubench.registry.strategy_fingerprint import strategy_fingerprint
from tests.pipeline.test_train_job import REGISTRY, job_of


def longest(pool: SpeechOffer, budget: SpeechBudget, rng: Random) -> Sequence[Candidate]:
    return budget.fill(sorted(pool.speech(), key=lambda one: (-one.seconds, one.name)))


STAGES = (Stage(learns_from=TEXT | SPEECH),)
MINE = Strategy(name="longest", stages=STAGES, choose=longest)

FILE = '''
"""The longest clips."""

from slubench import SPEECH, TEXT, Stage, Strategy


def longest(pool, budget, rng):
    return budget.fill(sorted(pool.speech(), key=lambda one: -one.seconds))


MINE = Strategy(name="mine", stages=(Stage(learns_from=TEXT | SPEECH),), choose=longest)
'''


def test_the_ledger_says_that_the_draw_is_the_strategy_s_own(home: Path) -> None:
    says: list[str] = []
    folder = job_of(MINE, home, says)
    ledger = Ledger.from_json(json.loads((folder / "ledger.json").read_text("utf-8")))
    assert ledger.draw == BY_STRATEGY
    rows = pq.read_table(folder / "lessons.parquet").to_pylist()
    heard = {row["utterance"] for row in rows if row["modality"] == "speech"}
    assert heard == set(ledger.chosen["de"])
    assert (len(heard), ledger.clips_bought) == (2, 2)
    assert any("as the strategy chose" in line for line in says)
    other = job_of(REGISTRY.strategy("direct-mix"), home, [])
    ledger = Ledger.from_json(json.loads((other / "ledger.json").read_text("utf-8")))
    assert (ledger.draw, ledger.chosen) == (BY_HASH, {})


def test_a_choice_is_part_of_the_identity_and_is_read_without_being_run(tmp_path: Path) -> None:
    plain = dataclasses.replace(MINE, choose=None)
    assert values_of(MINE) != values_of(plain)
    assert strategy_fingerprint(MINE) != strategy_fingerprint(plain)
    file = tmp_path / "mine.py"
    file.write_text(FILE, "utf-8")
    read = read_strategy(FILE, "mine")
    assert strategy_fingerprint(read) == strategy_fingerprint(strategy_in(file))
    assert read.choose is not None
