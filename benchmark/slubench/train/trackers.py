"""Experiment trackers, by accelerate: TensorBoard always, others where environment variables configure them.

Which variables count is documented in docs/tracking.md.
"""

from __future__ import annotations

import importlib.util
import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

logger = logging.getLogger("slubench.train")


@dataclass(frozen=True)
class Tracker:
    """A tracker that accelerate knows.

    Attributes:
        name: As accelerate names it.
        package: The Python package that it needs.
        variables: It is used where one of these is set.
        off: It is not used where this variable has this value.
    """

    name: str
    package: str
    variables: tuple[str, ...]
    off: tuple[str, str] = ("", "")


TRACKERS = (
    Tracker(
        "wandb",
        "wandb",
        ("WANDB_API_KEY", "WANDB_PROJECT", "WANDB_MODE", "WANDB_ENTITY"),
        ("WANDB_MODE", "disabled"),
    ),
    Tracker("trackio", "trackio", ("TRACKIO_PROJECT", "TRACKIO_SPACE_ID", "TRACKIO_DIR")),
    Tracker(
        "mlflow",
        "mlflow",
        ("MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_NAME"),
    ),
)
PROJECT = "slubench"


def trackers(environment: Mapping[str, str] = os.environ) -> list[str]:
    """TensorBoard, and every tracker that is configured; one that is not installed is reported."""
    chosen = ["tensorboard"]
    for tracker in TRACKERS:
        if not any(environment.get(name) for name in tracker.variables):
            continue
        if tracker.off[0] and environment.get(tracker.off[0]) == tracker.off[1]:
            continue
        if importlib.util.find_spec(tracker.package) is None:
            named = next(name for name in tracker.variables if environment.get(name))
            logger.warning(
                "%s is set but %s is not installed: pip install 'slubench[%s]'",
                named,
                tracker.package,
                tracker.package,
            )
            continue
        chosen.append(tracker.name)
    return chosen


def project(environment: Mapping[str, str] = os.environ) -> str:
    """The project that runs are filed under: that of a tracker's variable, else `slubench`."""
    names = ("WANDB_PROJECT", "TRACKIO_PROJECT", "MLFLOW_EXPERIMENT_NAME")
    return next((environment[name] for name in names if environment.get(name)), PROJECT)


def tracker_settings(name: str, folder: Path, done: int, config: dict[str, Any]) -> dict[str, Any]:
    """Settings of each tracker, so that a resumed run continues its curve.

    Args:
        name: The run's name.
        folder: Its working folder.
        done: Updates done; what TensorBoard holds beyond them is dropped.
        config: What identifies the run.
    """
    return {
        "tensorboard": {"purge_step": done + 1},
        "wandb": {"name": name, "id": folder.name, "resume": "allow", "dir": str(folder), "config": config},
        "trackio": {"name": folder.name, "resume": "allow", "config": config},
        "mlflow": {"run_name": folder.name},
    }
