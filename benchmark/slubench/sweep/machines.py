"""Opens what `--on` names: this machine, a Ray cluster or a SLURM one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from slubench.errors import MissingError, unknown
from slubench.runtime.devices import gpu_bytes, gpus_to_hold, shares
from slubench.runtime.home import Home
from slubench.sweep.cluster_wishes import ClusterWishes
from slubench.sweep.grid import LocatedModel
from slubench.sweep.local_machine import LocalMachine
from slubench.sweep.open_sweep import OpenSweep
from slubench.sweep.share_out import Machine

EXTRAS: Final = {"ray": "ray", "slurm": "submitit"}
"""The library that each kind of cluster needs; the extra bears the cluster's name."""


def check_place(on: str) -> None:
    """Refuse a place that is not known, or whose library is not installed.

    Raises:
        UsageError: There is no such place.
        MissingError: The library is missing.
    """
    kind = on.partition("://")[0]
    if kind not in ("local", *EXTRAS) or ("://" in on and kind != "ray"):
        raise unknown("place (--on)", on, ("local", "ray", "ray://ADDRESS", "slurm"))
    library = EXTRAS.get(kind)
    if library and find_spec(library) is None:
        raise MissingError(f"--on {on} needs {library}: pip install 'slubench[{kind}]'")


@contextmanager
def open_machine(wishes: ClusterWishes, opened: OpenSweep) -> Iterator[Machine]:
    """The machine that works on a sweep's units.

    Args:
        wishes: What the user wants.
        opened: The sweep.

    Raises:
        MissingError: The cluster cannot be reached.
    """
    folder = sweeps_folder(opened.context.home)
    kind = wishes.on.partition("://")[0]
    if kind == "ray":
        from slubench.sweep.ray_cluster import open_ray

        with open_ray(wishes, opened.needs_gpu, folder) as machine:
            yield machine
    elif kind == "slurm":
        from slubench.sweep.slurm_jobs import SlurmJobs

        yield SlurmJobs(wishes, opened.needs_gpu, folder)
    else:
        yield LocalMachine(shares(wishes.jobs), folder)


def sweeps_folder(home: Home) -> Path:
    """Where units, their logs and what is on its way are kept."""
    return home.root / "cache" / "sweeps"


def gpus_of(models: Sequence[LocatedModel], machine: Machine) -> Mapping[str, int]:
    """How many GPUs an engine of each model needs, by the name it was given."""
    memory = gpu_bytes() if isinstance(machine, LocalMachine) and machine.has_gpus else 0
    return {
        one.name: gpus_to_hold(weight_bytes(one), memory, machine.places) if one.engine == "vllm" else 1
        for one in models
    }


def weight_bytes(model: LocatedModel) -> int:
    """Bytes of a model's weights."""
    return sum(file.stat().st_size for file in Path(model.model.repository).glob("*.safetensors"))
