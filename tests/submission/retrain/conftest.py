"""A mirror of tones with every split, and a context that reads it."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from slubench.domain.strategy import Strategy
from slubench.pipeline.context import Context
from slubench.registry import Registry, strategy_in
from slubench.registry.static_read import read_strategy
from slubench.runtime.home import Home
from tests.massive_mirror import SENTENCES, make_mirror, row, tone, write_split


@pytest.fixture(scope="session")
def mirror(tmp_path_factory: pytest.TempPathFactory) -> Path:
    # With fewer speakers no seeds that agree would prove anything.
    folder = make_mirror(tmp_path_factory.mktemp("mirror"), test=16, speakers=16)
    dev = [
        row(20_000 + n, *SENTENCES[n], "de-DE", "validation", tone(pitch=300.0 + n), "1") for n in range(4)
    ]
    write_split(folder, "validation", dev)
    return folder


@pytest.fixture(scope="session")
def context(tmp_path_factory: pytest.TempPathFactory, mirror: Path) -> Context:
    home = tmp_path_factory.mktemp("home")
    return Context(Home(home), Registry(home), mirror)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where a run is trained again; not made yet."""
    return tmp_path / "retraining"


def read(text: str) -> Strategy:
    """A strategy as a verifier reads it: not imported."""
    return read_strategy(text, "own")


def imported(text: str, folder: Path) -> Strategy:
    """A strategy as its maker runs it."""
    path = folder / "own.py"
    path.write_text(text, "utf-8")
    return dataclasses.replace(strategy_in(path))
