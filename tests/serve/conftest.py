"""Checkpoints, adapters and questions that the tests of serving share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.serve.serving_jobs import ServingJobs
from tests.serve.tiny_checkpoints import adapt, build, declare


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random checkpoint that hears windows of 6 s, as the embedded model does."""
    return build(tmp_path_factory.mktemp("short") / "checkpoint", seconds=6, hop=320)


@pytest.fixture(scope="session")
def adapters(checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two adapters of it, each changing what it says."""
    folder = tmp_path_factory.mktemp("adapters")
    return adapt(folder / "first", checkpoint, seed=1), adapt(folder / "second", checkpoint, seed=2)


@pytest.fixture(scope="session")
def projector_adapter(checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An adapter that holds a whole projector too, as the track lora-lm+projector makes them."""
    folder = tmp_path_factory.mktemp("projector") / "projector"
    return adapt(folder, checkpoint, seed=3, modules_to_save=["multi_modal_projector"])


@pytest.fixture(scope="session")
def jobs(checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> ServingJobs:
    """Makes serving jobs, with forty requests."""
    made = ServingJobs(tmp_path_factory.mktemp("jobs"), declare(checkpoint, stock=False))
    made.write_questions(40)
    return made
