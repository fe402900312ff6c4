"""The GPUs of this machine that a command may use, and its cores, shared out."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Mapping, Sequence

from slubench.runtime.engines import has_cuda
from slubench.runtime.gpu import find_driver
from slubench.runtime.system import cores

VISIBLE = "CUDA_VISIBLE_DEVICES"


def smi(*arguments: str) -> str:
    """What `nvidia-smi` prints; empty where it is missing or fails."""
    try:
        ran = subprocess.run(["nvidia-smi", *arguments], capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return ran.stdout if ran.returncode == 0 else ""


def gpus(
    environment: Mapping[str, str] = os.environ,
    ask: Callable[..., str] = smi,
    count: Callable[[], int] | None = None,
) -> list[str]:
    """The GPUs, each as `CUDA_VISIBLE_DEVICES` names it; a slice of a GPU (MIG) is one of them.

    `CUDA_VISIBLE_DEVICES` is respected as CUDA does: what follows an invalid entry is not seen.

    Args:
        environment: Where the variable is looked up.
        ask: Calls `nvidia-smi`.
        count: How many GPUs the driver leaves to this process, where `nvidia-smi` is missing.
    """
    there = _listed(ask("-L"))
    left = None if there else (count or _count)()
    if VISIBLE not in environment:
        # A GPU that is divided is of no use whole.
        names = there or {str(number): [] for number in range(left or 0)}
        return [name for number, slices in names.items() for name in (slices or [number])]
    found: list[str] = []
    for entry in (part.strip() for part in environment[VISIBLE].split(",")):
        known = re.fullmatch(r"\d+", entry) is not None and (not there or entry in there)
        if not (known or re.match(r"(GPU|MIG)-", entry)):
            break
        found += [name for name in there.get(entry, []) or [entry] if name not in found]
    return found[:left]


def _listed(text: str) -> dict[str, list[str]]:
    """The GPUs that `nvidia-smi -L` lists by number, each with its slices."""
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        if whole := re.match(r"GPU (\d+):", line):
            found[whole[1]] = []
        elif (part := re.search(r"UUID: (MIG-[\w/-]+)", line)) and found:
            found[next(reversed(found))].append(part[1])
    return found


def _count() -> int:
    driver = find_driver()
    return len(driver.gpus) if driver is not None else 0


def gpu_bytes() -> int:
    """Memory of the smallest GPU that this process may use; 0 where that can't be told."""
    driver = find_driver()
    return min((gpu.total for gpu in driver.gpus), default=0) if driver is not None else 0


def gpus_to_hold(weights: int, memory: int, most: int) -> int:
    """How many GPUs hold a model together: the least power of two, and no more than there are.

    Args:
        weights: Bytes of its weights.
        memory: Bytes of a GPU; 0 where that is not known.
        most: How many GPUs there are.
    """
    number = 1
    # A quarter is left for the cache of keys and values and for activations.
    while memory and weights > 0.75 * memory * number and 2 * number <= most:
        number *= 2
    return number


def shares(jobs: int | None = None, devices: Sequence[str] | None = None) -> list[dict[str, str]]:
    """The environment of each of several processes that share this machine.

    One a GPU, each with its share of the cores; on a machine without GPUs one with all cores, or as many as
    are asked for.

    Args:
        jobs: At most so many; on a CPU just so many, but no more than there are cores.
        devices: The GPUs; found where they are not given.
    """
    found = list(devices) if devices is not None else (gpus() if has_cuda() else [])
    if found:
        found = found[:jobs] if jobs else found
        threads = max(cores() // len(found), 1)
        return [{VISIBLE: name, **_threads(threads)} for name in found]
    number = min(jobs or 1, cores())
    return [_threads(cores() // number) if number > 1 else {} for _ in range(number)]


def _threads(number: int) -> dict[str, str]:
    given = os.environ.get("OMP_NUM_THREADS", "")
    return {"OMP_NUM_THREADS": str(min(number, int(given)) if given.isdigit() and int(given) else number)}
