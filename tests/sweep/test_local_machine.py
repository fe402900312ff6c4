"""Units on the GPUs of this machine, with a fake list of devices."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from slubench.runtime.devices import VISIBLE
from slubench.sweep import local_machine
from slubench.sweep.local_machine import LocalMachine
from slubench.sweep.unit import TRAIN, EndedUnit, SweepSettings, Unit
from tests.command import ROOT

SHARES = [{VISIBLE: name, "OMP_NUM_THREADS": "2"} for name in ("3", "MIG-1", "5")]


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LocalMachine:
    monkeypatch.setattr(local_machine, "WORKER", "tests.sweep.reporting_worker")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    return LocalMachine(SHARES, tmp_path)


def unit(name: str, gpus: int = 1) -> Unit:
    settings = SweepSettings(home="/home", edition="mini", inputs=("speech", "text"))
    return Unit(
        kind=TRAIN, name=name, model="", engine="vllm", cells=(), trained=(), settings=settings, gpus=gpus
    )


def told(folder: Path, one: Unit) -> dict[str, str]:
    path = folder / f"{one.identity}.told"
    deadline = time.monotonic() + 60
    while not (path.exists() and path.read_text()) and time.monotonic() < deadline:
        time.sleep(0.02)
    found: dict[str, str] = json.loads(path.read_text())
    return found


def all_ended(machine: LocalMachine, number: int) -> list[EndedUnit]:
    found: list[EndedUnit] = []
    while len(found) < number:
        found += machine.ended(60)
    return found


def test_each_unit_sees_one_gpu_and_gives_it_back(machine: LocalMachine, tmp_path: Path) -> None:
    units = [unit(f"waits {number}") for number in range(3)]
    machine.begin(units)
    assert machine.free() == 0
    assert [told(tmp_path, one)[VISIBLE] for one in units] == ["3", "MIG-1", "5"]
    assert {told(tmp_path, one)["OMP_NUM_THREADS"] for one in units} == {"2"}
    (tmp_path / "go").touch()
    assert {(ended.unit.name, ended.error) for ended in all_ended(machine, 3)} == {
        (one.name, "") for one in units
    }
    assert machine.free() == 3


def test_a_model_that_needs_two_gpus_sees_two(machine: LocalMachine, tmp_path: Path) -> None:
    one, two = unit("waits 1"), unit("waits 2", gpus=2)
    machine.begin([one, two])
    assert machine.free() == 0
    assert told(tmp_path, two)[VISIBLE] == "MIG-1,5"
    (tmp_path / "go").touch()
    all_ended(machine, 2)
    assert machine.free() == 3


def test_a_worker_that_fails_tells_why(machine: LocalMachine, tmp_path: Path) -> None:
    machine.begin([unit("fails"), unit("breaks")])
    ended = {one.unit.name: one for one in all_ended(machine, 2)}
    assert ended["fails"].reasons == {"a run": "a reason"}
    assert "ended with exit code 7 (the last line)" in ended["breaks"].error
    assert str(tmp_path) in ended["breaks"].error


def test_what_is_under_way_is_ended_when_the_sweep_is(machine: LocalMachine, tmp_path: Path) -> None:
    one = unit("waits")
    machine.begin([one])
    told(tmp_path, one)
    process = machine._workers[0].process
    machine.stop()
    assert process.returncode == 143
