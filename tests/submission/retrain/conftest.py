"""A mirror of tones with every split, and a desk that reads it."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from slubench.submission.context import Desk

from slubench.domain.strategy import Strategy
from slubench.registry import Registry, strategy_in
from slubench.registry.static_read import read_strategy
from slubench.runtime.home import Home
from slubench.submission.retrain.retrain import Retraining
from tests.massive_mirror import SENTENCES, make_mirror, row, tone, write_split


@pytest.fixture(scope="session")
def mirror(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = make_mirror(tmp_path_factory.mktemp("mirror"))
    dev = [
        row(20_000 + n, *SENTENCES[n], "de-DE", "validation", tone(pitch=300.0 + n), "1") for n in range(4)
    ]
    write_split(folder, "validation", dev)
    return folder


@pytest.fixture(scope="session")
def desk(tmp_path_factory: pytest.TempPathFactory, mirror: Path) -> Desk:
    home = tmp_path_factory.mktemp("home")
    return Desk(Home(home), Registry(home), mirror)


@pytest.fixture
def retraining(desk: Desk, tmp_path: Path) -> Retraining:
    from slubench.data.editions import FULL

    source = FULL.source(desk.corpora, desk.digests)
    return Retraining(tmp_path / "retraining", desk.home, source, "transformers")


def read(text: str) -> Strategy:
    """A strategy as a verifier reads it: not imported."""
    return read_strategy(text, "own")


def imported(text: str, folder: Path) -> Strategy:
    """A strategy as its maker runs it."""
    path = folder / "own.py"
    path.write_text(text, "utf-8")
    return dataclasses.replace(strategy_in(path))
