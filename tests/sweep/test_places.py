"""What `--on` takes, what it needs, and what it turns wishes into."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from slubench.errors import MissingError, UsageError
from slubench.sweep import machines
from slubench.sweep.cluster_wishes import ClusterWishes
from slubench.sweep.machines import check_place
from slubench.sweep.ray_cluster import address_of, bytes_in
from slubench.sweep.slurm_jobs import minutes_in, parameters, python_command
from tests.command import ROOT, slubench
from tests.massive_mirror import make_mirror


@pytest.mark.parametrize("on", ["lokal", "ray:", "local://there", "slurm://there", "", "kubernetes"])
def test_a_place_that_is_not_known_is_refused(on: str) -> None:
    with pytest.raises(UsageError, match="There is no place"):
        check_place(on)


@pytest.mark.parametrize(("on", "extra"), [("ray", "ray"), ("ray://head:10001", "ray"), ("slurm", "slurm")])
def test_a_missing_library_is_named_with_its_extra(
    on: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machines, "find_spec", lambda name: None)
    with pytest.raises(MissingError, match=rf"pip install 'slubench\[{extra}\]'"):
        check_place(on)


def test_a_plain_sweep_loads_no_library_of_clusters(tmp_path: Path) -> None:
    make_mirror(tmp_path / "mirror", train=8, test=4)
    options = ["--strategy", "text-only", "--edition", "full", "--corpora", str(tmp_path / "mirror")]
    code = f"""
import json, sys
from slubench.pipeline.run import perform
from slubench.cli.app import app
sys.argv = ["slubench", "sweep", "--task", "massive-de", *{options!r}, "--model", "tiny", "--engine",
    "transformers", "--home", {str(tmp_path / "home")!r}, "--yes"]
import slubench.sweep.share_out
slubench.sweep.share_out.WorkQueue.perform = lambda self: []
try:
    app()
except SystemExit as ended:
    assert not ended.code, ended.code
print(json.dumps(sorted(name for name in sys.modules if name in ("ray", "submitit", "fsspec", "torch"))))
"""
    ran = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={"PATH": "/usr/bin", "PYTHONPATH": str(ROOT / "benchmark"), "HF_HUB_OFFLINE": "1"},
    )
    assert ran.returncode == 0, ran.stderr
    assert "1 runs: 0 already scored, 1 to do" in ran.stderr
    assert json.loads(ran.stdout.splitlines()[-1]) == []


def test_an_unknown_place_ends_a_sweep_before_anything_is_planned() -> None:
    ran = slubench("sweep", "--task", "massive-de", "--strategy", "text-only", "--on", "slurmm", code=2)
    assert "Did you mean slurm" in ran.stderr


@pytest.mark.parametrize(
    ("on", "address"),
    [
        ("ray", "auto"),
        ("ray://", "auto"),
        ("ray://head", "ray://head:10001"),
        ("ray://head:123", "ray://head:123"),
    ],
)
def test_rays_address(on: str, address: str) -> None:
    assert address_of(on) == address


@pytest.mark.parametrize(
    ("text", "size"), [("64GB", 64 * 2**30), ("1.5g", 3 * 2**29), ("500 MiB", 500 * 2**20), ("1024", 1024)]
)
def test_sizes_of_memory(text: str, size: int) -> None:
    assert bytes_in(text) == size


@pytest.mark.parametrize("text", ["much", "-1GB", "64 apples"])
def test_a_size_that_is_none(text: str) -> None:
    with pytest.raises(UsageError, match="--memory"):
        bytes_in(text)


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("90", 90),
        ("90:00", 90),
        ("90:30", 91),
        ("4:00:00", 240),
        ("1-0", 1440),
        ("1-2:30", 1590),
        ("0-0:0:1", 1),
    ],
)
def test_time_limits_as_slurm_writes_them(text: str, minutes: int) -> None:
    assert minutes_in(text) == minutes


@pytest.mark.parametrize("text", ["", "soon", "4h", "1-"])
def test_a_time_limit_that_is_none(text: str) -> None:
    with pytest.raises(UsageError, match="--time"):
        minutes_in(text)


def test_what_slurm_is_asked_for() -> None:
    wishes = ClusterWishes(
        on="slurm",
        jobs=4,
        memory="64GB",
        cpus=6,
        partition="gpu",
        account="lab",
        time="2:00:00",
        requeue=False,
    )
    assert parameters(wishes, needs_gpu=True) == {
        "job_name": "slubench",
        "time": 120,
        "array_parallelism": 4,
        "cpus_per_task": 6,
        "gpus_per_node": 1,
        "mem": "64GB",
        "partition": "gpu",
        "account": "lab",
        "additional_parameters": {"no-requeue": True},
    }
    plain = parameters(ClusterWishes(on="slurm"), needs_gpu=False)
    assert "gpus_per_node" not in plain
    assert plain["additional_parameters"] == {"requeue": True}


@pytest.mark.parametrize(
    ("container", "command"),
    [
        ("", None),
        ("/images/slu bench.sif", "apptainer exec --nv '/images/slu bench.sif' python3"),
        ("docker://org/image:1", "apptainer exec --nv docker://org/image:1 python3"),
        ("podman run --rm image python", "podman run --rm image python"),
    ],
)
def test_python_in_a_container(container: str, command: str | None) -> None:
    assert python_command(container) == command
