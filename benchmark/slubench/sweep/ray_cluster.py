"""`--on ray`: units as tasks of a Ray cluster. Ray is imported here alone, and when it is asked for.

Each task works in a HOME of its own on its node, with the node's cache of clips; what it needs travels with
it, and its results come home as one archive.
"""

from __future__ import annotations

import json
import logging
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from slubench.errors import MissingError, SlubenchError, UsageError
from slubench.runtime.child_process import last_line, run_child
from slubench.runtime.home import Home
from slubench.sweep.cluster_wishes import ClusterWishes
from slubench.sweep.ship import needs_of, results_of, settle, strategies_of, take_home
from slubench.sweep.unit import ANSWER, PREDICT, EndedUnit, Unit, read_reasons

PORT: Final = 10001
"""Ray's own port for clients."""
RETRIES: Final = 10
"""How often a task begins again when its node has died."""
STOP_SECONDS: Final = 60.0
UNITS: Final = {"": 1, "k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40}


class Preempted(Exception):
    """The unit was told to end with its node; it goes on elsewhere."""


@dataclass(frozen=True)
class TaskResult:
    """What a task returns.

    Attributes:
        reasons: Why runs failed, by name.
        error: Why the unit ended early; empty where it did not.
        archive: Its results.
        home: Path of its HOME.
    """

    reasons: dict[str, str]
    error: str
    archive: bytes
    home: str


def do_unit(content: str, needs: bytes, strategies: dict[str, bytes]) -> TaskResult:
    """Do a unit on this node.

    Args:
        content: The unit as JSON.
        needs: From `slubench.sweep.ship.needs_of`.
        strategies: From `slubench.sweep.ship.strategies_of`.

    Raises:
        Preempted: It was told to end.
    """
    import ray

    node = Path(tempfile.gettempdir()) / f"slubench-{ray.get_runtime_context().get_node_id()[:16]}"
    given = Unit.from_json(json.loads(content))
    home = node / "units" / given.identity
    (node / "cache").mkdir(parents=True, exist_ok=True)
    home.mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError):
        (home / "cache").symlink_to(node / "cache")
    unit, brought = settle(given, home, needs, strategies)
    file, log = home / "unit.json", home / "unit.log"
    unit.save(file)
    with log.open("a", encoding="utf-8") as stderr:
        code = run_child("slubench.sweep.worker", file, group=True, stderr=stderr)
    if code in (130, 143):
        raise Preempted(f"{unit.name} was told to end on {os.uname().nodename}")
    reasons = read_reasons(file) if code == 1 else {}
    error = "" if code == 0 or reasons else f"ended with exit code {code} ({last_line(log)})"
    result = TaskResult(reasons, error, results_of(home, brought), str(home))
    shutil.rmtree(home, ignore_errors=True)
    return result


def bytes_in(memory: str) -> int:
    """The bytes of a size such as `64GB` or `500M`.

    Raises:
        UsageError: It is none.
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kmgt]?)(?:i?b)?", memory.strip().lower())
    if found is None:
        raise UsageError(f"--memory {memory!r}: expected a size such as 64GB.")
    return int(float(found[1]) * UNITS[found[2]])


def address_of(on: str) -> str:
    """The address that Ray is given: `auto` finds a cluster by RAY_ADDRESS or on this machine."""
    place = on.partition("://")[2]
    if not place:
        return "auto"
    return f"ray://{place}" if re.search(r":\d+$", place) else f"ray://{place}:{PORT}"


@contextmanager
def open_ray(wishes: ClusterWishes, needs_gpu: bool, folder: Path) -> Iterator[RayCluster]:
    """Connect to a Ray cluster.

    Args:
        wishes: What the user wants.
        needs_gpu: Whether a run needs a GPU.
        folder: Where logs are kept.

    Raises:
        MissingError: There is no cluster at that address.
    """
    import ray

    address = address_of(wishes.on)
    try:
        ray.init(address=address, log_to_driver=False, logging_level=logging.WARNING)
    except (ConnectionError, RuntimeError, ValueError, OSError) as error:
        why = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise MissingError(
            f"--on {wishes.on}: no Ray cluster answers ({why}). Start one with `ray start --head`, set"
            " RAY_ADDRESS, or give its address as --on ray://HOST:10001."
        ) from None
    try:
        yield RayCluster(ray, wishes, needs_gpu, folder)
    finally:
        ray.shutdown()


class RayCluster:
    """Works on units in Ray tasks.

    Args:
        ray: The module, connected.
        wishes: What the user wants.
        needs_gpu: Whether a run needs a GPU.
        folder: Where logs are kept.
    """

    whole = False

    def __init__(self, ray: Any, wishes: ClusterWishes, needs_gpu: bool, folder: Path) -> None:
        self._ray, self._wishes, self._needs_gpu, self._folder = ray, wishes, needs_gpu, folder
        self._tasks: dict[Any, Unit] = {}
        self._function = ray.remote(do_unit)
        self._options = {
            "max_retries": RETRIES,
            "retry_exceptions": [Preempted],
            "num_cpus": self._cpus(),
            **({"memory": bytes_in(wishes.memory)} if wishes.memory else {}),
        }

    @property
    def places(self) -> int:
        """How many units the cluster works on at a time, as it is now."""
        if self._wishes.jobs:
            return self._wishes.jobs
        nodes = self._nodes()
        if self._needs_gpu:
            return max(int(sum(node.get("GPU", 0) for node in nodes)), 1)
        return max(sum(int(node.get("CPU", 0) // self._cpus()) for node in nodes), 1)

    def _nodes(self) -> list[dict[str, float]]:
        """The resources of each living node that could work."""
        alive = [node["Resources"] for node in self._ray.nodes() if node["Alive"]]
        return [node for node in alive if node.get("GPU" if self._needs_gpu else "CPU", 0) > 0]

    def _cpus(self) -> float:
        """Cores of a run: a GPU's share of its node, or all of a node without GPUs."""
        if self._wishes.cpus:
            return self._wishes.cpus
        shares = [
            node.get("CPU", 0) // node.get("GPU", 1) if self._needs_gpu else node["CPU"]
            for node in self._nodes()
        ]
        return max(min(shares, default=1), 1)

    def free(self) -> int:
        """How many places are free now."""
        return max(self.places - sum(unit.gpus for unit in self._tasks.values()), 0)

    def begin(self, units: Sequence[Unit]) -> None:
        """Start a task for each unit."""
        for unit in units:
            # Scores are made at home, where all that was heard is known.
            sent = replace(unit, kind=ANSWER) if unit.kind == PREDICT else unit
            gpus = {"num_gpus": unit.gpus} if self._needs_gpu else {}
            task = self._function.options(name=f"{unit.kind} {unit.name}", **self._options, **gpus)
            content = json.dumps(sent.to_json())
            self._tasks[task.remote(content, needs_of(unit), strategies_of(unit))] = unit

    def ended(self, seconds: float) -> list[EndedUnit]:
        """The units whose tasks have ended; their results are in HOME."""
        ready, _ = self._ray.wait(list(self._tasks), num_returns=1, timeout=seconds)
        return [self._taken(task) for task in ready]

    def _taken(self, task: Any) -> EndedUnit:
        unit = self._tasks.pop(task)
        try:
            result: TaskResult = self._ray.get(task)
        except self._ray.exceptions.RayError as error:
            lines = str(error).strip().splitlines() or [type(error).__name__]
            return EndedUnit(unit, error=f"the Ray task failed: {lines[-1]}")
        try:
            take_home(result.archive, Home(Path(unit.settings.home)), result.home)
        except (OSError, SlubenchError) as error:
            return EndedUnit(unit, error=f"its results could not be taken home ({error})")
        return EndedUnit(unit, result.reasons, result.error)

    def stop(self) -> None:
        """Cancel the tasks: trainings write a checkpoint first."""
        for task in self._tasks:
            self._ray.cancel(task)
        if self._tasks:
            self._ray.wait(list(self._tasks), num_returns=len(self._tasks), timeout=STOP_SECONDS)
        self._tasks.clear()
