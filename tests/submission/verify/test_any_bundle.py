"""Whatever a bundle holds, verification ends with a tier or with findings, and writes nothing elsewhere."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from slubench.metrics import bootstrap, sampling
from slubench.pipeline.context import Context
from slubench.runtime.home import Home
from slubench.submission.bundle.pack import submit
from slubench.submission.verify.verify import UNFORESEEN, verify
from tests.massive_mirror import make_mirror
from tests.submission.made_bundles import OWN, a_context, pretend, sign
from tests.submission.odd_files import changed

KINDS = ("manifest.json", "environment.json", "card.json", "report.json", "scores.parquet", "replies.parquet",
         "lessons.parquet", "*.py")  # fmt: skip
SETTINGS = settings(
    deadline=None, database=None, suppress_health_check=list(HealthCheck), print_blob=False
)  # fmt: skip


class Door:
    """A bundle that is changed, verified and put back, by a verifier with the corpus and one without."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.bundle = folder, folder / "bundle"
        home, mirror = folder / "home", make_mirror(folder / "mirror", test=2)
        (home / "strategies").mkdir(parents=True)
        (home / "strategies" / "short_first.py").write_text(OWN, "utf-8")
        maker = a_context(home, mirror)
        for strategy in ("curriculum", "short-first", "zero-shot"):
            pretend(maker, strategy)
            submit([strategy], folder / "made" / strategy, maker)
        self.verifiers = {
            corpus: a_context(folder / "verifier", mirror if corpus else None) for corpus in (True, False)
        }
        (folder / "verifier").mkdir()
        self.put_back("curriculum")

    def put_back(self, strategy: str) -> None:
        shutil.rmtree(self.bundle, ignore_errors=True)
        shutil.copytree(self.folder / "made" / strategy, self.bundle)

    def file(self, kind: str) -> str:
        (path,) = (path for path in self.bundle.rglob(kind) if path.is_file())
        return str(path.relative_to(self.bundle))

    def verified(self, corpus: bool) -> list[str]:
        """Verify the bundle as it is now, and give the findings."""
        scratch = self.folder / "scratch"
        before = sorted(os.listdir(self.folder))
        context: Context = self.verifiers[corpus]
        try:
            verification = verify(self.bundle, context, Home(scratch))
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
        told = verification.findings.told()
        assert not [line for line in told if UNFORESEEN in line]
        assert all(line.isprintable() and len(line) < 2_000 for line in told)
        assert json.dumps(verification.to_json()).isascii()
        assert (verification.tier is None) == bool(told)
        assert sorted(os.listdir(self.folder)) == before
        assert not list(self.bundle.rglob("*.imported"))
        return told


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    with pytest.MonkeyPatch.context() as patch:
        # What is measured is not looked at; thousands of times it would take hours.
        patch.setattr(bootstrap.replicate, "__defaults__", (4, "0"))
        patch.setattr(sampling.sampled, "__defaults__", (4,))
        yield Door(tmp_path_factory.mktemp("door"))


def check(door: Door, data: st.DataObject, corpus: bool) -> None:
    door.put_back(data.draw(st.sampled_from(("curriculum", "short-first", "zero-shot"))))
    kinds = [data.draw(st.sampled_from(KINDS))]
    if data.draw(st.integers(0, 4)) == 0:
        kinds.append(data.draw(st.sampled_from(KINDS)))
    files = [door.file(kind) for kind in dict.fromkeys(kinds)]
    for file in files:
        path = door.bundle / file
        path.write_bytes(data.draw(changed(file, path.read_bytes())))
        # Mostly as a forger would, who writes the manifest anew.
        if "manifest.json" not in files and data.draw(st.integers(0, 19)):
            sign(door.bundle)
    door.verified(corpus)


@pytest.mark.slow
@given(data=st.data())
@settings(SETTINGS, max_examples=1_700)
def test_without_the_corpus_any_file_ends_in_a_tier_or_findings(door: Door, data: st.DataObject) -> None:
    check(door, data, corpus=False)


@pytest.mark.slow
@given(data=st.data())
@settings(SETTINGS, max_examples=300)
def test_with_the_corpus_any_file_ends_in_a_tier_or_findings(door: Door, data: st.DataObject) -> None:
    check(door, data, corpus=True)


def _fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(1 << 40)


def _loop(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.name)


def _device(path: Path) -> None:
    path.unlink()
    path.symlink_to("/dev/zero")


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _deep(path: Path) -> None:
    Path(path.parent, *["d"] * 500).mkdir(parents=True)


def _names(path: Path) -> None:
    for name in (b"\xff\xfe", b"a\nb", b"\xe2\x80\xae", b"x" * 255, b"-rf", b"manifest.json "):
        (os.fsencode(path.parent) + b"/" + name).decode("utf-8", "surrogateescape")
        Path(os.fsdecode(os.fsencode(path.parent) + b"/" + name)).write_bytes(b"")


def _gone(path: Path) -> None:
    path.unlink()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("change", [_fifo, _sparse, _loop, _device, _folder, _deep, _names, _gone])
def test_what_is_no_plain_file_ends_in_findings(
    door: Door, kind: str, change: Callable[[Path], None]
) -> None:
    door.put_back("zero-shot")
    change(door.bundle / door.file(kind))
    assert door.verified(corpus=False)


def test_what_nobody_foresaw_is_a_finding(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    from slubench.submission.verify import verify as verifying

    def fails(*arguments: object) -> None:
        raise KeyError("\x1b[31mx")

    monkeypatch.setattr(verifying, "rescore", fails)
    door.put_back("zero-shot")
    verification = verify(door.bundle, door.verifiers[False], Home(door.folder / "scratch"))
    assert verification.tier is None
    assert UNFORESEEN in verification.findings.told()[0]
    assert verification.findings.told()[0].isprintable()
