"""W&B for real, offline: a training in a process of its own keeps its run where wandb can sync it from."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.train.training_jobs import TrainingJobs


@pytest.mark.slow
def test_a_configured_training_is_logged_by_wandb(jobs: TrainingJobs) -> None:
    job = jobs.job([jobs.mixed(12)])
    plan = Path(job.folder) / "train.json"
    job.save(plan)
    offline = {
        **{name: value for name, value in os.environ.items() if not name.startswith("WANDB_")},
        "WANDB_MODE": "offline",
        "WANDB_PROJECT": "slubench",
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
    }
    done = subprocess.run(
        [sys.executable, "-m", "slubench.train", str(plan)],
        env=offline,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (log,) = (Path(job.folder) / "wandb").glob("offline-run-*/run-*.wandb")
    assert b"loss" in log.read_bytes()
