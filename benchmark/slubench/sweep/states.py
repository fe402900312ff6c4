"""How far each run of a sweep is."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from slubench.errors import DataError
from slubench.pipeline.plan import Planned
from slubench.runtime.files import read_object
from slubench.runtime.home import Home
from slubench.sweep.grid import GridRun

WAITING: Final = "waiting"
TRAINING: Final = "training"
TRAINED: Final = "trained"
PREDICTING: Final = "predicting"
SCORED: Final = "scored"
CACHED: Final = "already scored"
FAILED: Final = "failed"
STATES: Final = (WAITING, TRAINING, TRAINED, PREDICTING, SCORED, CACHED, FAILED)


@dataclass
class RunState:
    """A run of a sweep as it goes.

    Attributes:
        number: Its place in the sweep, from 0.
        combination: The run as the grid gives it.
        planned: The run with its fingerprints; None where it could not be planned.
        state: One of `STATES`.
        detail: What a reader sees beside it: progress, a score, or a reason.
        scores: Its score file, when it is scored.
    """

    number: int
    combination: GridRun
    planned: Planned | None
    state: str = WAITING
    detail: str = ""
    scores: Path | None = None

    @property
    def name(self) -> str:
        """The run's name."""
        return self.combination.run.name

    @property
    def due(self) -> bool:
        """Whether it is neither scored nor failed."""
        return self.state not in (SCORED, CACHED, FAILED)


@dataclass
class RunStates:
    """All runs of a sweep.

    Attributes:
        runs: In order.
        changed: Called with each run whose state has changed.
    """

    runs: list[RunState] = field(default_factory=list)
    changed: Callable[[RunState], None] = lambda run: None

    def set(self, run: RunState, state: str, detail: str = "") -> None:
        """Set the state of a run; one that is scored or failed stays so."""
        if run.due and (run.state, run.detail) != (state, detail):
            moved = run.state != state
            run.state, run.detail = state, detail
            if moved:
                self.changed(run)


def training_progress(planned: Planned, home: Home) -> str:
    """How many updates a training under way has done, as in `12/90`; empty where that can't be told."""
    folder = planned.run_folder(home)
    try:
        with (folder / "train.log").open("rb") as file:
            file.seek(max(file.seek(0, 2) - 4096, 0))
            done = re.findall(rb"stage \d+ update (\d+) ", file.read())
        stages = read_object(folder / "train.json")["stages"]
        return f"{int(done[-1])}/{sum(stage['updates'] for stage in stages)}" if done else ""
    except (OSError, DataError, KeyError, TypeError):
        return ""
