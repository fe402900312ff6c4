"""Two commands that prepare one corpus at once: every clip once, and each of them whole."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from slubench.data.clips import ClipStore
from tests.command import ROOT
from tests.massive_mirror import make_mirror, tone

CLIPS = 80 + 8


def seconds(number: int) -> float:
    """A clip's length, which tells it from the others."""
    return 0.4 + 0.01 * (number % 1000)


@pytest.mark.parametrize("workers", ["0", "2"])
def test_two_processes_share_one_cache(tmp_path: Path, workers: str) -> None:
    mirror = make_mirror(
        tmp_path / "mirror", train=80, audio=lambda number: tone(seconds(number), pitch=200.0 + number)
    )
    home = tmp_path / "home"
    options = ("--edition", "full", "--model", "tiny", "--corpora", str(mirror), "--home", str(home))
    prepare = ("data", "prepare", "massive-de", *options, "--workers", workers, "--json")
    command = [sys.executable, "-m", "slubench", *prepare]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "benchmark")}
    both = [
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    for process in both:
        out, errors = process.communicate(timeout=300)
        assert process.returncode == 0, errors
        told = json.loads(out)
        assert [(part["rows"], part["clips"], part["rejected"]) for part in told["prepared"]] == [
            (80, 80, []),
            (8, 8, []),
        ]
        assert told["failed"] == []
    store = ClipStore(home / "cache" / "clips", 16_000, 6.0)
    files = [path for path in store.folder.rglob("*") if path.is_file()]
    assert len(files) == CLIPS
    assert {path.suffix for path in files} == {".npy"}  # nothing half-written is left
    lengths = sorted(len(np.load(path)) / 16_000 for path in files)
    numbers = [*range(80), *range(10_000, 10_008)]
    assert lengths == pytest.approx(sorted(seconds(number) for number in numbers), abs=2e-3)
