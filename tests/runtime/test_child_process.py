"""What a process starts ends with it, however it ends, and what that started ends too."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from slubench.runtime import child_process
from tests.command import ROOT

PARENT = """
import sys
from pathlib import Path
from slubench.cli import app
from slubench.runtime.locks import locked
from slubench.runtime.child_process import run_module

def begin():
    with locked(Path(sys.argv[1] + ".lock"), "sleeping", print):
        run_module("tests.runtime.sleeping_module", Path(sys.argv[1]))

app.app = begin
app.main()
"""


def gone(number: int) -> bool:
    """Whether a process has ended; one that nobody has waited for counts as ended."""
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def until(held: Callable[[], bool], seconds: float = 60) -> bool:
    """Whether something comes true in time."""
    deadline = time.monotonic() + seconds
    while not held() and time.monotonic() < deadline:
        time.sleep(0.05)
    return held()


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processes are looked up in /proc")
@pytest.mark.parametrize(
    ("stop", "code"),
    [(signal.SIGKILL, -9), (signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130)],
)
def test_children_and_theirs_end_with_the_parent(tmp_path: Path, stop: signal.Signals, code: int) -> None:
    noted = tmp_path / "pids"
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'benchmark'}:{ROOT}"}
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(noted)],
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    assert until(noted.exists), "the child did not start"
    numbers = [int(number) for number in noted.read_text().split()]
    assert not any(map(gone, numbers))
    parent.send_signal(stop)
    assert parent.wait(60) == code
    assert until(lambda: all(map(gone, numbers)))
    _, told = parent.communicate()
    if stop != signal.SIGKILL:
        assert "run the same command again to resume" in told.splitlines()[-1]


@pytest.mark.parametrize(
    ("code", "told", "not_told"),
    [(1, "to resume", "mend what it names"), (2, "mend what it names", "resume")],
)
def test_a_fault_of_a_declaration_is_not_told_to_resume(
    code: int, told: str, not_told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child_process, "run_child", lambda *_, **__: code)
    with pytest.raises(child_process.ProcessError, match=told) as failed:
        child_process.run_module("slubench.train", tmp_path / "train.json")
    assert not_told not in str(failed.value)
