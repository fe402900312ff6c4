"""A publication is there whole or not at all, at whatever moment its process is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from slubench.errors import DataError
from slubench.runtime.home import Home
from slubench.submission.publish import one_act
from slubench.submission.publish.one_act import STAGING, complete_published, publishing

FILES = ("leaderboard/published/a.parquet", "leaderboard/published/sums/a.parquet", "strategies/own.py")
ROOT = Path(__file__).resolve().parents[3]

# Publishes while every call of the operating system that changes a file is counted, and dies at one of them.
KILLED = """
import os, sys
from pathlib import Path
from slubench.runtime.home import Home
from slubench.submission.publish.one_act import publishing

root, last, files = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
count = 0

def hook(event, arguments):
    global count
    if event in ("os.rename", "os.remove", "os.mkdir", "os.rmdir", "open") and str(root) in str(arguments):
        count += 1
        if count > last:
            os.kill(os.getpid(), 9)

sys.addaudithook(hook)
with publishing(Home(root), print) as publication:
    for file in files:
        publication.stage(root / file).write_text("new", "utf-8")
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    for file in FILES[:2]:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text("old", "utf-8")
    return tmp_path


def state(root: Path) -> Mapping[str, str]:
    return {file: (root / file).read_text("utf-8") for file in FILES if (root / file).exists()}


OLD = dict.fromkeys(FILES[:2], "old")
NEW = dict.fromkeys(FILES, "new")


def killed_at(root: Path, moment: int) -> int:
    path = os.pathsep.join((str(ROOT / "benchmark"), str(ROOT)))
    ran = subprocess.run(
        [sys.executable, "-c", KILLED, str(root), str(moment), *FILES],
        env=os.environ | {"PYTHONPATH": path},
        stdout=subprocess.DEVNULL,
        check=False,
    )
    return ran.returncode


@pytest.mark.slow
def test_killed_at_any_moment_the_next_leaves_the_old_or_the_new(checkout: Path, tmp_path: Path) -> None:
    seen = set()
    for moment in range(100):
        for file in FILES:
            (checkout / file).unlink(missing_ok=True)
        for file, text in OLD.items():
            (checkout / file).write_text(text, "utf-8")
        code = killed_at(checkout, moment)
        journal = (checkout / STAGING / "journal.json").exists()
        complete_published(Home(checkout), lambda line: None)
        left = state(checkout)
        assert left in (OLD, NEW), (moment, left)
        assert left == NEW or not journal
        assert not (checkout / STAGING).exists()
        seen.add(left == NEW)
        if code == 0:
            break
        assert code == -signal.SIGKILL
    else:
        pytest.fail("it never came to an end")
    assert seen == {True, False}
    assert moment > 10


def publish(root: Path, then: Callable[[], object] = lambda: None) -> None:
    with publishing(Home(root), print) as publication:
        for file in FILES:
            publication.stage(root / file).write_text("new", "utf-8")
        then()


def test_what_fails_on_the_way_publishes_nothing(checkout: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        publish(checkout, lambda: 1 / 0)
    assert state(checkout) == OLD
    assert not (checkout / STAGING).exists()


def test_a_folder_that_can_not_be_written_is_told_before_anything_is_moved(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: "sums" not in str(path))
    with pytest.raises(DataError, match=r"can't be written.*Nothing is published"):
        publish(checkout)
    assert state(checkout) == OLD


def test_what_is_interrupted_is_completed_by_the_next_which_says_so(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved = []

    def stops(self: Path, target: Path) -> Path:
        if target.parent.name == "sums":
            raise KeyboardInterrupt
        moved.append(target)
        os.replace(self, target)
        return target

    with pytest.raises(KeyboardInterrupt):
        publish(checkout, lambda: monkeypatch.setattr(Path, "replace", stops))
    monkeypatch.undo()
    assert state(checkout) == OLD | {FILES[0]: "new"}
    said: list[str] = []
    with publishing(Home(checkout), said.append):
        assert state(checkout) == NEW
    assert said == ["completed a publication of 3 files that was interrupted"]


@pytest.mark.parametrize(
    "target",
    ["../x.json", "x.json", "leaderboard/published/../../x", "adapters_registry/x.json", "strategies/.x.py",
     "leaderboard/published/deep/x", "leaderboard/published/a\u202eb", "benchmark/slubench/x.py"],
)  # fmt: skip
def test_nothing_is_published_elsewhere(checkout: Path, target: str) -> None:
    with (
        pytest.raises(DataError, match="no place to publish"),
        publishing(Home(checkout), print) as publication,
    ):
        publication.stage(checkout / target)


def test_a_link_is_no_place_to_publish_to(checkout: Path, tmp_path: Path) -> None:
    (checkout / "strategies").mkdir()
    (checkout / FILES[2]).symlink_to(tmp_path / "elsewhere")
    with (
        pytest.raises(DataError, match="no place to publish"),
        publishing(Home(checkout), print) as publication,
    ):
        publication.stage(checkout / FILES[2])


def test_a_journal_of_a_strangers_moves_nothing_elsewhere(checkout: Path) -> None:
    (checkout / STAGING).mkdir()
    (checkout / STAGING / one_act.JOURNAL).write_text('[["0", "../../x"]]', "utf-8")
    with pytest.raises(DataError, match="no place to publish"):
        complete_published(Home(checkout), print)
