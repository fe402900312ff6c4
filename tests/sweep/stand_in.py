"""Stand-ins for the processes that train and predict, and for a machine that works in this process."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from slubench.errors import SlubenchError
from slubench.runtime.child_process import ProcessError
from slubench.runtime.jobs import PredictJob, TrainJob
from slubench.sweep.unit import EndedUnit, Unit
from slubench.sweep.worker import work


def train_nothing(module: str, path: Path) -> None:
    """Write an adapter as the training process does."""
    job = TrainJob.load(path)
    folder = Path(job.adapter)
    folder.mkdir(parents=True)
    (folder / "adapter_model.safetensors").write_bytes(job.name.encode())
    (folder / "training.json").write_text(json.dumps({"seconds": 10.0, "flops": 1.0}), "utf-8")


def predict_nothing(module: str, path: Path, meanwhile: Callable[[], None]) -> None:
    """Reply to each request as the serving process does."""
    job = PredictJob.load(path)
    for one in job.askings:
        with Path(one.replies).open("w", encoding="utf-8") as file:
            for row in pq.read_table(one.questions, columns=["utterance", "input"]).to_pylist():
                file.write(json.dumps({**row, "reply": "{}", "tokens": 1, "finish": "stop"}) + "\n")
    done = [{"name": one.name, "asked": 8, "seconds": 4.0} for one in job.askings]
    report = {"engine": job.engine, "version": "5", "serving": "native", "askings": done}
    Path(job.report).write_text(json.dumps(report), "utf-8")
    meanwhile()


def stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let workers in this process train and predict nothing."""
    monkeypatch.setattr("slubench.sweep.worker.run_module", train_nothing)
    monkeypatch.setattr("slubench.pipeline.predict.run_module", predict_nothing)


class InProcess:
    """A machine that works on a unit when it is asked what has ended.

    Attributes:
        places: How many units it holds at a time.
        whole: Whether a unit trains and predicts.
        units: All units that were begun, in order.
        most: How many places were taken at a time.
        dies: Why a unit dies with its machine, by its name; None where it does not.
    """

    def __init__(self, places: int, whole: bool = False) -> None:
        self.places = places
        self.whole = whole
        self.units: list[Unit] = []
        self.most = 0
        self.stopped = False
        self.dies: Callable[[Unit], str | None] = lambda unit: None
        self._under_way: list[Unit] = []

    def free(self) -> int:
        return self.places - sum(unit.gpus for unit in self._under_way)

    def begin(self, units: Sequence[Unit]) -> None:
        self.units += units
        self._under_way += units
        self.most = max(self.most, self.places - self.free())

    def ended(self, seconds: float) -> list[EndedUnit]:
        unit = self._under_way.pop(0)
        if (reason := self.dies(unit)) is not None:
            return [EndedUnit(unit, error=reason)]
        try:
            return [EndedUnit(unit, work(unit))]
        except ProcessError as error:
            return [EndedUnit(unit, error=str(error))]
        except SlubenchError as error:
            return [EndedUnit(unit, {"": str(error)})]

    def stop(self) -> None:
        self.stopped = True
