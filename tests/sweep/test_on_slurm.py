"""`--on slurm`: Debian's SLURM on this machine; a job of the array is killed, queued again, and resumes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from slubench.sweep.unit import Unit
from tests.command import ROOT
from tests.lacking import lacking
from tests.sweep.slurm_cluster import SlurmCluster
from tests.sweep.small_sweep import SmallSweep, wait_for

pytestmark = [pytest.mark.slow, pytest.mark.slurm]


@pytest.fixture
def cluster(short_folder: Path) -> Iterator[SlurmCluster]:
    if os.geteuid() != 0:
        lacking("SLURM's daemons are started as root")
    cluster = SlurmCluster(short_folder / "slurm")
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()


def test_every_row_is_there_once_although_a_job_is_killed(
    cluster: SlurmCluster, small_sweep: SmallSweep, tmp_path: Path
) -> None:
    home, log = tmp_path / "home", tmp_path / "log"
    environment = {
        **cluster.environment,
        "PYTHONPATH": f"{ROOT / 'benchmark'}:{ROOT}",
        "SLUBENCH_CHECKPOINT_SECONDS": "0",
        "OMP_NUM_THREADS": "1",
    }
    options = ("--on", "slurm", "--partition", "main", "--time", "30", "--yes")
    with log.open("wb") as output:
        sweep = subprocess.Popen(
            [sys.executable, "-m", "slubench", *small_sweep.command(home), *options],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )

    def told() -> str:
        return f"{log.read_text()}\n{cluster.run('squeue')}\n{cluster.logs()}"

    try:
        wait_for(lambda: list(home.glob("runs/*/checkpoints/0*")), 120, told)
        training = next(iter(home.glob("runs/*/checkpoints/0*"))).parents[1]
        (number,) = [
            file.read_text().strip()
            for file in (home / "cache" / "sweeps").glob("*.job")
            if training.name.endswith(Unit.load(file.with_suffix(".json")).trained[0][:8])
        ]
        cluster.run("scontrol", "requeue", number)
        # SLURM lets a job that was queued again wait for two minutes.
        wait_for(lambda: "PENDING" in cluster.run("squeue", "-h", "-r", "-j", number, "-o", "%T"), 90, told)
        assert "Stopped" in "".join(path.read_text() for path in (home / "cache" / "sweeps").glob("*.log"))
        cluster.run("scontrol", "update", f"JobId={number}", "StartTime=now")
        assert sweep.wait(200) == 0, told()
    finally:
        sweep.kill()
        sweep.wait()
    small_sweep.check(home)
    assert "resuming after update" in (training / "train.log").read_text()
    assert log.read_text().count(": scored") == 4
