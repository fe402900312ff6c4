"""Budgets that buy the same are one run; wrong ones are refused in a sentence."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from slubench.data.editions import FULL
from slubench.domain.budget import Budget
from slubench.domain.run import Run
from slubench.errors import SlubenchError
from slubench.pipeline.context import Context
from slubench.pipeline.plan import Planned, plan
from slubench.pipeline.run import perform
from slubench.registry import Registry
from slubench.registry.weights import choose_model, locate
from slubench.runtime.digest import Digests
from slubench.runtime.home import Home, find_home
from tests.command import slubench
from tests.massive_mirror import make_mirror, tone

REGISTRY = Registry()


def a_run(home: Home, speech: str, strategy: str = "curriculum", edition: str = "mini") -> Run:
    model, weights = locate(choose_model("tiny", REGISTRY), Digests(home.digests))
    declared, task, budget = REGISTRY.strategy(strategy), REGISTRY.task("massive-de"), Budget.parse(speech)
    return Run(task=task, strategy=declared, budget=budget, model=model, weights=weights, edition=edition)


def planned(home: Path, speech: str, says: list[str]) -> Planned:
    place = find_home(home)
    return plan(a_run(place, speech), Context(place, REGISTRY, say=says.append))


@pytest.mark.parametrize("speech", ["99999", "2000", "999min", "100.0%", "100%"])
def test_a_budget_above_what_there_is_is_all_of_it(speech: str, home: Path) -> None:
    says: list[str] = []
    found, all_of_it = planned(home, speech, says), planned(home, "100%", [])
    assert (found.trained, found.run.name, str(found.run.spends)) == (
        all_of_it.trained,
        all_of_it.run.name,
        "100%",
    )
    told = [line for line in says if "is treated as 100%" in line]
    assert len(told) == (not speech.startswith("100"))


@pytest.mark.parametrize("speech", ["1999", "20min"])
def test_a_budget_within_what_there_is_stays_as_it_was_given(speech: str, home: Path) -> None:
    says: list[str] = []
    assert str(planned(home, speech, says).run.spends) == speech
    assert says == []


def test_options_of_a_draw_stay(home: Path) -> None:
    assert str(planned(home, "99999+stratified", []).run.spends) == "100%+stratified"


@pytest.mark.parametrize("speech", ["0", "0%", "0min", "0.0%", "0+stratified"])
def test_nothing_is_nothing_however_it_is_written(speech: str) -> None:
    assert Budget.parse(speech) == Budget.parse("0")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("sweep", "--seeds", "-1"), "--seeds '-1': -1 is not in the range 0 to 2,147,483,647"),
        (("sweep", "--seeds", "0,99999999999"), "99999999999 is not in the range"),
        (("run", "--data-seed", "-1"), "greater than or equal to 0"),
        (("run", "--train-seed", "-1"), "greater than or equal to 0"),
        (("run", "--seed", "99999999999"), "less than or equal to 2147483647"),
    ],
)
def test_a_seed_out_of_range_is_refused(options: tuple[str, ...], message: str, home: Path) -> None:
    command, *rest = options
    ran = slubench(
        command, "--task", "massive-de", "--strategy", "curriculum", "--edition", "mini", *rest, code=2
    )
    assert message in " ".join(ran.stderr.split())


@pytest.mark.parametrize("strategy", ["curriculum", "text-only"])
def test_a_pool_that_holds_a_recording_of_the_test_trains_nothing(
    strategy: str, home: Path, tmp_path: Path
) -> None:
    place = find_home(home)
    shared = {10_003: 5}
    mirror = make_mirror(tmp_path / "mirror", audio=lambda n: tone(pitch=200.0 + shared.get(n, n)))
    source = FULL.source(mirror, Digests(place.digests))
    run = dataclasses.replace(a_run(place, "50%", strategy, "full"))
    with pytest.raises(SlubenchError, match=r"1 test recordings .*: 5 \(in the test 10003\)"):
        perform([run], Context(place, REGISTRY, sources={"full": source}))
    assert not list(place.adapters.glob("*"))
