"""Whatever stdout is - in another encoding, closed, full - a command ends without a traceback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.command import ROOT, slubench
from tests.submission.conftest import mirror, scored_home

__all__ = ["mirror", "scored_home"]

ENCODINGS = ("latin-1", "cp1252", "ascii")
COMMANDS = (
    ("list",),
    ("list", "--json"),
    ("show", "curriculum"),
    ("show", "massive-de", "--json"),
    ("doctor",),
    ("doctor", "--json"),
    ("leaderboard", "show"),
    ("compare", "curriculum", "short-first"),
    ("compare", "curriculum", "short-first", "--json"),
)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_commands_print_in_any_encoding(scored_home: Path, command: tuple[str, ...]) -> None:
    for encoding in ENCODINGS:
        ran = slubench(*command, SLUBENCH_HOME=str(scored_home), PYTHONIOENCODING=encoding)
        assert ran.stdout
        if "--json" in command:
            assert ran.stdout.isascii()
            json.loads(ran.stdout)


def test_the_c_locale_and_names_that_are_no_text(scored_home: Path, tmp_path: Path) -> None:
    slubench("list", SLUBENCH_HOME=str(scored_home), LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
    ran = slubench("show", os.fsdecode(b"na\xffme.py"), code=2, SLUBENCH_HOME=str(scored_home))
    assert "me.py" in ran.stderr


def test_predictions_are_scored_in_any_encoding(tmp_path: Path) -> None:
    gold = tmp_path / "test.jsonl"
    rows = [
        {
            "slurp_id": 1,
            "sentence": "spiel żółć",
            "tokens": [{"surface": "spiel", "id": 0}, {"surface": "żółć", "id": 1}],
            "entities": [{"span": [1], "type": "song_name"}],
            "scenario": "play",
            "action": "music",
            "recordings": [{"file": "a.flac"}],
        }
    ]
    gold.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows) + "\n", "utf-8")
    said = {"file": "a.flac", "scenario": "play", "action": "music"}
    said["entities"] = [{"type": "song_name", "filler": "żółć"}]  # type: ignore[assignment]
    predictions = tmp_path / "said-ł.jsonl"
    predictions.write_text(json.dumps(said) + "\n", "utf-8")
    for encoding in ENCODINGS:
        ran = slubench("score", predictions, "--gold", gold, "--json", PYTHONIOENCODING=encoding)
        assert json.loads(ran.stdout)["file"] == str(predictions)
        slubench("score", predictions, "--gold", gold, PYTHONIOENCODING=encoding)


@pytest.mark.parametrize("end", ["| head -c 1 >/dev/null", ">/dev/full", ">&-", ">&- 2>&-"])
@pytest.mark.parametrize("command", ["list --json", "list", "--version", "doctor", "--help"])
def test_nobody_reads_stdout(command: str, end: str) -> None:
    ran = subprocess.run(
        ["sh", "-c", f"{sys.executable} -m slubench {command} {end}"],
        env={**os.environ, "PYTHONPATH": str(ROOT / "benchmark")},
        capture_output=True,
        text=True,
    )
    assert "Traceback" not in ran.stderr
    assert "Exception ignored" not in ran.stderr
    assert ran.stderr.count("\n") <= 1
    if "&-" in end:
        assert ran.returncode == 0
    if "full" in end:
        assert ran.returncode == 1
        assert "No space left" in ran.stderr


def test_a_home_that_is_read_only_is_listed(tmp_path: Path) -> None:
    file = tmp_path / "not-a-folder"
    file.write_text("")
    slubench("list", SLUBENCH_HOME=str(file / "home"))
    ran = slubench(
        "run",
        "--task",
        "massive-de",
        "--strategy",
        "zero-shot",
        "--edition",
        "mini",
        code=1,
        SLUBENCH_HOME=str(file / "home"),
    )
    assert str(file) in ran.stderr
