"""`--on ray`: a head and two nodes, of which one is killed while it trains and one while it predicts."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.command import ROOT
from tests.sweep.small_sweep import SmallSweep, wait_for

pytestmark = [pytest.mark.slow, pytest.mark.ray, pytest.mark.filterwarnings("ignore")]
STORE_BYTES = 80 * 2**20


@pytest.fixture
def cluster(short_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name, value in {
        "TMPDIR": str(short_folder),
        "PYTHONPATH": f"{ROOT / 'benchmark'}:{ROOT}",
        # A node's processes are nice otherwise, and starve on a busy machine.
        "RAY_worker_niceness": "0",
        "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",
        "SLUBENCH_CHECKPOINT_SECONDS": "0",
    }.items():
        monkeypatch.setenv(name, value)
    from ray.cluster_utils import Cluster

    head = {
        "num_cpus": 0,
        "object_store_memory": STORE_BYTES,
        "temp_dir": str(short_folder / "ray"),
        "include_dashboard": False,
    }
    cluster: Any = Cluster(initialize_head=True, head_node_args=head)
    try:
        yield cluster
    finally:
        cluster.shutdown()


def add_node(cluster: Any) -> Any:
    return cluster.add_node(num_cpus=1, object_store_memory=STORE_BYTES)


def descendants(process: int) -> list[int]:
    """The processes below one, by /proc."""
    parents = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            parents[int(path.parent.name)] = int(path.read_text().rpartition(")")[2].split()[1])
    found, rest = [], [process]
    while rest:
        below = [child for child, parent in parents.items() if parent == rest[0]]
        found += below
        rest = [*rest[1:], *below]
    return found


def kill(cluster: Any, node: Any) -> None:
    """Kill a node and all its processes, as a machine dies."""
    (raylet,) = node.all_processes["raylet"]
    for process in [raylet.process.pid, *descendants(raylet.process.pid)]:
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
    cluster.remove_node(node, allow_graceful=False)


def node_with(nodes: list[Any], folder: Path, pattern: str) -> Any:
    """A node on which a file has been written, None if there is none."""
    for node in nodes:
        home = folder / f"slubench-{node.node_id[:16]}" / "units"
        if any(path.stat().st_size for path in home.glob(pattern)):
            return node
    return None


def test_every_row_is_there_once_although_two_nodes_die(
    cluster: Any, short_folder: Path, small_sweep: SmallSweep, tmp_path: Path
) -> None:
    nodes = [add_node(cluster), add_node(cluster)]
    home, store, log = tmp_path / "home", tmp_path / "store", tmp_path / "log"
    with log.open("wb") as output:
        sweep = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "slubench",
                *small_sweep.command(home),
                "--on",
                "ray",
                "--checkpoints",
                store.as_uri(),
                "--yes",
            ],
            env={**os.environ, "RAY_ADDRESS": cluster.address},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    try:
        wait_for(lambda: list(store.glob("*/*.tar")), 120, log.read_text)
        first = next(iter(store.glob("*/*.tar"))).parent.name
        trains = wait_for(
            lambda: node_with(nodes, short_folder, f"*/runs/{first}/train.log"), 20, log.read_text
        )
        kill(cluster, trains)
        nodes = [node for node in nodes if node is not trains] + [add_node(cluster)]
        replies = "*/runs/*/answers/*/questions.parquet"
        predicts = wait_for(lambda: node_with(nodes, short_folder, replies), 150, log.read_text)
        kill(cluster, predicts)
        add_node(cluster)
        assert sweep.wait(200) == 0, log.read_text()
    finally:
        sweep.kill()
        sweep.wait()
    small_sweep.check(home)
    resumed = (home / "runs" / first / "train.log").read_text()
    assert "resuming after update" in resumed
    assert not list(store.glob("*")), "checkpoints of finished trainings are removed"
    assert "4 of 4" not in log.read_text()
    assert log.read_text().count(": scored") == 4
