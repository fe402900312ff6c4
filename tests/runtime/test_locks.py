"""Two processes take turns, and neither removes what the other is using."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from slubench.runtime.locks import all_locked, locked
from slubench.runtime.private_folders import building, own_name, remove, remove_abandoned
from tests.command import ROOT

HOLD = """
import sys
from pathlib import Path
from slubench.runtime.locks import locked
with locked(Path(sys.argv[1]), "training x", print):
    print("held", flush=True)
    sys.stdin.readline()
"""
MERGE = """
import sys
from pathlib import Path
from slubench.runtime.private_folders import building, own_name
folder = Path(sys.argv[1]) / own_name("merged-x")
with building(folder) as temporary:
    (temporary / "weights").write_text("w")
    if sys.argv[2] == "half":
        print(temporary, flush=True); sys.stdin.readline()
print(folder, flush=True)
sys.stdin.readline()
"""


def begin(code: str, *arguments: str | Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(ROOT / "benchmark")},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_the_second_waits_and_is_told_for_whom(tmp_path: Path) -> None:
    path = tmp_path / "locks" / "training-1"
    with begin(HOLD, path) as first:
        assert line(first) == "held"
        told: list[str] = []

        def say(message: str) -> None:
            told.append(message)
            first.communicate("\n")  # lets the first end

        with locked(path, "training x", say):
            assert first.returncode == 0
    (message,) = told
    assert f"waiting for process {first.pid}" in message
    assert str(path) in message


def test_a_killed_process_holds_no_lock(tmp_path: Path) -> None:
    with begin(HOLD, tmp_path / "lock") as first:
        assert line(first) == "held"
        first.kill()
        first.wait()
        with all_locked([tmp_path / "lock", tmp_path / "lock"], "x", pytest.fail):
            pass


def test_folders_of_the_living_stay_and_of_the_dead_go(tmp_path: Path) -> None:
    with begin(MERGE, tmp_path, "whole") as living, begin(MERGE, tmp_path, "half") as half:
        whole, unfinished = Path(line(living)), Path(line(half))
        remove_abandoned(tmp_path.iterdir())
        assert (whole / "weights").exists()
        assert (unfinished / "weights").exists()
        for process in (living, half):
            process.kill()
            process.wait()
        remove_abandoned(tmp_path.iterdir())
        assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_nothing_stays_of_a_folder_that_was_not_finished(tmp_path: Path, error: type[BaseException]) -> None:
    with pytest.raises(error), building(tmp_path / own_name("merged-y")):
        raise error
    assert list(tmp_path.iterdir()) == []
    with building(tmp_path / own_name("merged-y")) as temporary:
        (temporary / "weights").write_text("w")
    (made,) = tmp_path.iterdir()
    remove_abandoned([made])
    assert made.exists()
    remove(made)
    assert not made.exists()
