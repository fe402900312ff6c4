"""Commands that are killed, that run twice at once, and of which one run fails."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.command import ROOT, slubench
from tests.massive_mirror import make_mirror

pytestmark = pytest.mark.slow
CELL = ("--task", "massive-de", "--edition", "full", "--model", "tiny", "--engine", "transformers")
BROKEN = '''
"""Gives what is no example."""

from slubench import SPEECH, Stage, Strategy


def nothing(pool, rng):
    yield "no example"


BROKEN = Strategy(name="broken", stages=(Stage(learns_from=SPEECH, compose=nothing),))
'''


@pytest.fixture(scope="module")
def mirror(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_mirror(tmp_path_factory.mktemp("mirror"))


def begin(home: Path, mirror: Path, log: Path) -> subprocess.Popen[bytes]:
    arguments = ("run", *CELL, "--strategy", "direct-mix", "--speech", "100%", "--corpora", str(mirror))
    with log.open("wb") as errors:
        return subprocess.Popen(
            [sys.executable, "-m", "slubench", *arguments, "--home", str(home)],
            env={**os.environ, "PYTHONPATH": str(ROOT / "benchmark")},
            stdout=subprocess.DEVNULL,
            stderr=errors,
        )


def adapter(home: Path) -> str:
    (weights,) = (home / "adapters_registry").glob("*/adapter_model.safetensors")
    return hashlib.sha256(weights.read_bytes()).hexdigest()


def at_work(home: Path) -> list[str]:
    """Command lines of processes that name a home."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
        except OSError:
            continue
        if str(home) in line:
            found.append(line)
    return found


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="processes are looked up in /proc")
@pytest.mark.parametrize("stop", [signal.SIGKILL, signal.SIGTERM])
def test_a_command_that_is_killed_leaves_no_process_and_is_resumed(
    home: Path, mirror: Path, tmp_path: Path, stop: signal.Signals
) -> None:
    first = begin(home, mirror, tmp_path / "log")
    deadline = time.monotonic() + 120
    while not list(home.glob("runs/*/train.log")) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert list(home.glob("runs/*/train.log"))
    first.send_signal(stop)
    assert first.wait(120) == (143 if stop == signal.SIGTERM else -9)
    while at_work(home) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert at_work(home) == []
    assert begin(home, mirror, tmp_path / "log").wait(300) == 0, (tmp_path / "log").read_text()
    other = tmp_path / "undisturbed"
    assert begin(other, mirror, tmp_path / "log").wait(300) == 0
    assert adapter(home) == adapter(other)


def test_two_commands_at_once_do_the_work_once(home: Path, mirror: Path, tmp_path: Path) -> None:
    logs = [tmp_path / "one", tmp_path / "two"]
    both = [begin(home, mirror, log) for log in logs]
    assert [process.wait(400) for process in both] == [0, 0]
    told = "".join(log.read_text() for log in logs)
    assert "waiting for process" in told
    assert told.count("update 5/5") == 1
    assert told.count(" with transformers") == 1
    assert len(list(home.glob("leaderboard/scores/*.parquet"))) == 1


def test_a_failing_run_does_not_stop_the_others(home: Path, mirror: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.py"
    broken.write_text(BROKEN)
    strategies = f"{broken},zero-shot"
    options = (*CELL, "--strategy", strategies, "--speech", "50%,0", "--corpora", mirror, "--home", home)
    ran = slubench("sweep", *options, "--json", code=1)
    assert {row["strategy"] for row in json.loads(ran.stdout)} == {"zero-shot"}
    assert "1 of 2 runs failed, the others are scored" in ran.stderr
    assert "broken" in ran.stderr.splitlines()[-2]
    assert "Run the same command again to retry these" in ran.stderr.splitlines()[-1]
