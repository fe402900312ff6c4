"""How the runs of a sweep are shared out, and what becomes of those that fail."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from slubench.pipeline.outcomes import FailedRuns
from slubench.sweep.open_sweep import OpenSweep, SweepValues, open_sweep
from slubench.sweep.share_out import WorkQueue
from slubench.sweep.sweep_cost import cost_of
from slubench.sweep.unit import PREDICT, TRAIN
from tests.massive_mirror import make_mirror
from tests.sweep.stand_in import InProcess, stand_in


@pytest.fixture(autouse=True)
def _stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(monkeypatch)


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    for locale in ("de-DE", "fr-FR"):
        make_mirror(tmp_path / "mirror", train=8, test=4, locale=locale)
    return tmp_path / "mirror"


def opened(home: Path, mirror: Path, said: list[str] | None = None, **changes: str) -> OpenSweep:
    values = {
        "task": "massive-de,massive-de-to-fr",
        "strategy": "text-only,direct-mix",
        "model": "tiny",
        "speech": "0,50%",
        "target": "none",
        "seeds": "0-1",
        "track": "lora-lm",
        "selection": "last",
        "edition": "full",
        "engine": "transformers",
        "serving": "auto",
        **changes,
    }
    say = (said if said is not None else []).append
    return open_sweep(SweepValues(**values, inputs=("speech", "text")), home, mirror, "", say)


def performed(sweep: OpenSweep, machine: InProcess, gpus: dict[str, int] | None = None) -> list[str]:
    schedule = WorkQueue(sweep.contexts, sweep.settings, machine, sweep.states, gpus or {})
    return [outcome.run.name for outcome in schedule.perform()]


def kinds(machine: InProcess) -> list[str]:
    return [unit.kind for unit in machine.units]


def of_kind(machine: InProcess, kind: str) -> Sequence[int]:
    return [len(unit.cells) for unit in machine.units if unit.kind == kind]


def test_adapters_that_differ_only_in_the_test_are_trained_once(home: Path, mirror: Path) -> None:
    machine, said = InProcess(1), list[str]()
    names = performed(opened(home, mirror, said), machine)
    assert len(names) == len(set(names)) == 8
    assert "left out: direct-mix at 0, because it needs speech" in said
    assert kinds(machine) == [TRAIN] * 4 + [PREDICT]
    assert of_kind(machine, PREDICT) == [8]
    assert len(list((home / "leaderboard" / "scores").glob("*.parquet"))) == 8


def test_what_is_scored_is_not_made_again(home: Path, mirror: Path) -> None:
    performed(opened(home, mirror, seeds="0"), InProcess(1))
    machine = InProcess(1)
    sweep = opened(home, mirror)
    cost = cost_of(sweep.states, sweep.contexts)
    assert (cost.runs, cost.cached, cost.due, cost.shared) == (8, 4, 4, 2)
    assert cost.models[0].trainings == 2
    assert "measured on 2 trainings and" in cost.models[0].source
    assert len(performed(sweep, machine)) == 8
    assert kinds(machine) == [TRAIN] * 2 + [PREDICT]
    again = InProcess(1)
    assert len(performed(opened(home, mirror), again)) == 8
    assert again.units == []


def test_several_places_train_and_predict_at_once(home: Path, mirror: Path) -> None:
    machine = InProcess(3)
    assert len(performed(opened(home, mirror), machine)) == 8
    assert machine.most == 3
    assert of_kind(machine, TRAIN) == [1, 1, 1, 1]
    assert sum(of_kind(machine, PREDICT)) == 8
    assert not machine.stopped


def test_a_model_for_two_gpus_waits_until_two_are_free(home: Path, mirror: Path) -> None:
    machine = InProcess(3)
    assert len(performed(opened(home, mirror), machine, {"tiny": 2})) == 8
    assert {unit.gpus for unit in machine.units if unit.kind == PREDICT} == {2}
    assert {unit.gpus for unit in machine.units if unit.kind == TRAIN} == {1}
    assert machine.most == 3


def test_a_cluster_of_jobs_gets_what_shares_an_adapter_as_one(home: Path, mirror: Path) -> None:
    machine = InProcess(100, whole=True)
    assert len(performed(opened(home, mirror), machine)) == 8
    assert [len(unit.cells) for unit in machine.units] == [2, 2, 2, 2]


def test_failures_are_told_at_the_end_and_the_others_go_on(home: Path, mirror: Path) -> None:
    machine = InProcess(2)
    machine.dies = lambda unit: "it burnt" if unit.kind == TRAIN and "direct-mix" in unit.name else None
    with pytest.raises(FailedRuns) as failed:
        performed(opened(home, mirror), machine)
    assert len(failed.value.outcomes) == 4
    assert "4 of 8 runs failed, the others are scored" in str(failed.value)
    assert "it burnt" in str(failed.value)
    assert "Run the same command again" in str(failed.value)
    healthy = InProcess(1)
    assert len(performed(opened(home, mirror), healthy)) == 8
    assert of_kind(healthy, TRAIN) == [1, 1]


def test_a_machine_with_other_data_trains_nothing(home: Path, mirror: Path, tmp_path: Path) -> None:
    sweep = opened(home, mirror, task="massive-de", strategy="text-only", speech="0", seeds="0")
    make_mirror(mirror, train=9, test=4)
    with pytest.raises(FailedRuns, match="this machine would train another adapter"):
        performed(sweep, InProcess(1))
    assert not list(home.glob("adapters_registry/*.json"))


def test_an_error_ends_what_is_under_way(home: Path, mirror: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine = InProcess(2)

    def interrupted(seconds: float) -> list[object]:
        raise KeyboardInterrupt

    monkeypatch.setattr(machine, "ended", interrupted)
    with pytest.raises(KeyboardInterrupt):
        performed(opened(home, mirror), machine)
    assert machine.stopped
