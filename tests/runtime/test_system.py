"""What works without what only Linux has, and what is said where nothing works."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from slubench.conformance.file_watch import FileWatch
from slubench.runtime import child
from slubench.runtime.system import cores
from tests.command import ROOT

WINDOWS = """
import sys

class Hidden:
    def find_spec(self, name, path=None, target=None):
        if name in ("fcntl", "resource", "termios", "pwd", "grp"):
            raise ModuleNotFoundError(name)

for name in ("fcntl", "resource", "termios", "pwd", "grp"):
    sys.modules.pop(name, None)
sys.meta_path.insert(0, Hidden())
from slubench.__main__ import main
sys.platform = "win32"
sys.argv = ["slubench", "list"]
main()
"""


class Library:
    """A C library that has none of the functions asked for."""


class Refused:
    """One whose kernel refuses what it is asked."""

    def prctl(self, *_: int) -> int:
        return -1


class Obeyed:
    """One whose kernel does what it is asked."""

    def prctl(self, *_: int) -> int:
        return 0


def test_without_affinity_all_cores_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    assert cores() == os.cpu_count()


def test_without_inotify_nothing_is_watched(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda *_, **__: Library())
    watch = FileWatch([tmp_path])
    assert not watch.working
    assert watch.opened() == []
    monkeypatch.setattr(sys, "platform", "darwin")
    assert not FileWatch([tmp_path]).working


@pytest.mark.parametrize(
    ("platform", "library", "at_last"),
    [
        ("linux", Library, [15, 9]),
        ("darwin", Library, [15, 9]),
        ("linux", Refused, [15, 9]),
        ("linux", Obeyed, [9]),
    ],
)
def test_a_parents_death_is_noticed_with_prctl_or_without(
    monkeypatch: pytest.MonkeyPatch, platform: str, library: type, at_last: list[int]
) -> None:
    """SIGTERM first, from the kernel or the thread, and SIGKILL when the grace is over."""
    monkeypatch.setattr(ctypes, "CDLL", lambda *_, **__: library())
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(child, "GRACE", 0.0)
    sent: list[int] = []
    watching: list[threading.Thread] = []
    monkeypatch.setattr(os, "kill", lambda pid, number: sent.append(number))
    monkeypatch.setattr(child, "_end_own_group", lambda: sent.append(9))
    monkeypatch.setattr(threading.Thread, "start", lambda self: watching.append(self))
    child.end_with(os.getppid())
    assert sent == []
    child.end_with(1 << 30)
    assert sent == [15]
    sent.clear()
    watching[-1].run()
    assert sent == at_last


def test_windows_is_told_in_one_sentence() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", WINDOWS],
        env={**os.environ, "PYTHONPATH": str(ROOT / "benchmark")},
        capture_output=True,
        text=True,
    )
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr.count("\n") == 1
    assert "Windows is not supported" in ran.stderr
