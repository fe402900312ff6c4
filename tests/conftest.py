"""What many tests need: a home of their own, real text, and what a run with `SLUBENCH_DEMAND` demands."""

from __future__ import annotations

import importlib.util
import os
import shutil
from pathlib import Path

import pytest

from tests.lacking import lacking
from tests.sweep.slurm_cluster import missing as slurm_lacks

# Workers share the cores: two threads in each make all of them slower.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

# What a marker needs, and whether it is there.
NEEDS = {
    "vllm": ("vLLM is not installed", importlib.util.find_spec("vllm") is not None),
    "sandbox": ("bubblewrap is not installed", shutil.which("bwrap") is not None),
    "ray": ("Ray is not installed", importlib.util.find_spec("ray") is not None),
    "slurm": (
        "submitit or SLURM is not installed, or this is not root",
        importlib.util.find_spec("submitit") is not None and not slurm_lacks() and os.geteuid() == 0,
    ),
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what wants vLLM or bubblewrap where it is not installed, unless it is demanded."""
    if os.environ.get("SLUBENCH_DEMAND"):
        return
    for marker, (reason, there) in NEEDS.items():
        for item in items:
            if not there and item.get_closest_marker(marker):
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No test writes outside its folder, reads the user's settings, or asks the Hub."""
    for name in list(os.environ):
        if name.startswith("SLUBENCH_") and name not in ("SLUBENCH_TEST_DATA", "SLUBENCH_DEMAND"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("SLUBENCH_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home of the test's own."""
    return tmp_path / "home"


@pytest.fixture
def real_text() -> Path:
    """The folder of real MASSIVE and SLURP text; without it the test is skipped, or fails if demanded."""
    folder = os.environ.get("SLUBENCH_TEST_DATA", "")
    if not folder or not Path(folder, "massive").is_dir():
        lacking("SLUBENCH_TEST_DATA does not name the folder of real text")
    return Path(folder)
