"""A bundle that holds, made once; each test gets a copy to do with as it likes."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from slubench.runtime.home import Home
from slubench.submission.bundle.pack import submit
from slubench.submission.verify.verify import Verification, verify
from tests.massive_mirror import make_mirror
from tests.submission.made_bundles import OWN, a_context, pretend


@pytest.fixture(scope="session")
def mirror(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_mirror(tmp_path_factory.mktemp("mirror"))


@pytest.fixture(scope="session")
def scored_home(tmp_path_factory: pytest.TempPathFactory, mirror: Path) -> Path:
    """A home of one run of data, one with a function of its own, and one that learns nothing."""
    home = tmp_path_factory.mktemp("scored")
    (home / "strategies").mkdir()
    (home / "strategies" / "short_first.py").write_text(OWN, "utf-8")
    context = a_context(home, mirror)
    for strategy in ("curriculum", "short-first", "zero-shot"):
        pretend(context, strategy)
    return home


@pytest.fixture(scope="session")
def honest(tmp_path_factory: pytest.TempPathFactory, scored_home: Path, mirror: Path) -> Path:
    out = tmp_path_factory.mktemp("bundles") / "honest"
    submit(
        ["massive-de/curriculum", "short-first", "zero-shot"],
        out,
        a_context(scored_home, mirror),
        with_adapters=True,
    )
    return out


@pytest.fixture(scope="session")
def _one(tmp_path_factory: pytest.TempPathFactory, scored_home: Path, mirror: Path) -> Path:
    out = tmp_path_factory.mktemp("bundles") / "one"
    submit(["curriculum"], out, a_context(scored_home, mirror))
    return out


@pytest.fixture
def one(_one: Path, tmp_path: Path) -> Path:
    """A copy of a bundle of one run, without weights."""
    return Path(shutil.copytree(_one, tmp_path / "one"))


@pytest.fixture
def bundle(honest: Path, tmp_path: Path) -> Path:
    """A copy of the bundle that holds."""
    return Path(shutil.copytree(honest, tmp_path / "bundle"))


@pytest.fixture(scope="session")
def _clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("verifier")


class Verify:
    """Verifies a bundle in a home that knows nothing of the one that made it."""

    def __init__(self, home: Path, mirror: Path, scratch: Path) -> None:
        self.context = a_context(home, mirror)
        self.scratch = scratch
        self._count = 0

    def __call__(self, bundle: Path) -> Verification:
        self._count += 1
        return verify(bundle, self.context, Home(self.scratch / f"scratch-{self._count}"))


@pytest.fixture
def held(_clips: Path, mirror: Path, tmp_path: Path) -> Verify:
    return Verify(_clips, mirror, tmp_path)
