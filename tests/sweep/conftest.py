"""A small sweep whose results on a cluster are compared with those of this machine alone."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.command import slubench
from tests.massive_mirror import make_mirror
from tests.sweep.small_sweep import SmallSweep


@pytest.fixture(scope="session")
def small_sweep(tmp_path_factory: pytest.TempPathFactory) -> SmallSweep:
    """Two trainings, each with two tests, made on this machine, one after the other."""
    mirror = tmp_path_factory.mktemp("mirror")
    for locale in ("de-DE", "fr-FR"):
        make_mirror(mirror, train=32, test=24, locale=locale)
    sweep = SmallSweep(mirror, tmp_path_factory.mktemp("local"))
    slubench(*sweep.command(sweep.local), "--jobs", "2", "--yes", HF_HUB_OFFLINE="1", OMP_NUM_THREADS="1")
    return sweep


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """A folder with a short path, for sockets."""
    with tempfile.TemporaryDirectory(prefix="sb", dir="/tmp", ignore_cleanup_errors=True) as folder:
        yield Path(folder)
