"""`list` and `show`, read by people on a terminal and by programs in a pipe."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from slubench.cli.run_list import adapter_names, run_rows
from slubench.domain.ledger import Ledger
from slubench.registry.adapters import Adapter
from slubench.runtime.home import Home
from tests.board.known_truth import write_home
from tests.command import ROOT, slubench


def begun(home: Path, name: str, updates: int) -> Path:
    """The folder of a training that has begun."""
    folder = home / "runs" / f"{name}-12345678"
    (folder / "checkpoints" / f"{updates:08d}").mkdir(parents=True)
    (folder / "train.json").write_text(
        json.dumps({"name": name, "stages": [{"updates": 30, "rate": 1}, {"updates": 20, "rate": 1}]}),
        "utf-8",
    )
    (folder / "train.lock").touch()
    return folder


def on_terminal(*arguments: str, columns: int = 80) -> str:
    """What a command prints on a terminal of that width."""
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "slubench", *arguments],
        stdout=slave,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(ROOT / "benchmark"), "NO_COLOR": "1", "COLUMNS": str(columns)},
        close_fds=True,
    )
    os.close(slave)
    printed = b""
    try:
        while chunk := os.read(master, 65_536):
            printed += chunk
    except OSError:  # Linux says so when the other side is closed
        pass
    assert process.wait() == 0
    os.close(master)
    return re.sub("\x1b\\[[0-9;]*m", "", printed.decode("utf-8")).replace("\r\n", "\n")


def test_runs_are_listed_with_state_score_and_time(home: Path) -> None:
    write_home(home, {("text-only", 0.0): 0.5}, [0])
    begun(home, "speech-massive-de--curriculum", 12)
    running = begun(home, "speech-massive-de--direct-mix", 3)
    broken = home / "runs" / "broken"
    broken.mkdir()
    (broken / "train.json").write_text("{", "utf-8")
    with (running / "train.lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lines = slubench("list", "runs", "--home", home).stdout.splitlines()
    assert lines[0].split("\t")[:5] == ["name", "state", "SLU-F1", "time", "made"]
    states = {line.split("\t")[0]: line.split("\t")[1] for line in lines[1:]}
    assert states["speech-massive-de--curriculum-12345678"] == "interrupted 12/50"
    assert states["speech-massive-de--direct-mix-12345678"] == "running 3/50"
    own = next(line.split("\t") for line in lines if "\tscored\t" in line)
    assert float(own[2]) > 0
    assert "published" in states.values(), "the rows that come with the package"
    assert all(line.count("\t") == lines[0].count("\t") for line in lines)
    assert "broken" not in states


def test_what_is_not_scored_yet_is_trained(home: Path) -> None:
    (scores,) = write_home(home, {("text-only", 0.0): 0.5}, [0])
    trained = pq.read_table(scores).column("train_fingerprint")[0].as_py()
    card = Adapter(
        name="x",
        base="tiny",
        weights="w",
        track="lora-lm",
        strategy_digest="",
        corpus="speech-massive",
        ruleset="fixed",
        fingerprint=trained,
        strategy="text-only",
        pools={},
        budget="0",
        data_seed=0,
        train_seed=0,
        edition="mini",
        recipe={},
        ledger=Ledger(updates=(3, 4)),
        training={"seconds": 61.0},
    )
    card.save(Home(home))
    (own,) = [row for row in run_rows(Home(home)) if row["state"] == "scored"]
    assert (own["adapter"], own["updates"], own["speech"]) == (card.stem, 7, "0")
    assert adapter_names([own["name"], card.stem, "x"], Home(home)) == {own["name"]: card.stem}
    scores.unlink()
    rows = {row["name"]: row for row in run_rows(Home(home)) if row["state"] != "published"}
    assert {name: row["state"] for name, row in rows.items()} == {card.stem: "trained"}


@pytest.mark.parametrize("columns", [80, 120])
@pytest.mark.parametrize("kind", ["tasks", "strategies", "models", "runs"])
def test_a_listing_fits_the_terminal(kind: str, columns: int, home: Path) -> None:
    printed = on_terminal("list", kind, "--home", str(home), columns=columns)
    assert max(map(len, printed.splitlines())) <= columns
    rows = [line for line in printed.splitlines() if line.strip() and "─" not in line][2:]
    assert rows
    if kind != "runs":
        assert len(rows) == len(slubench("list", kind, "--home", home).stdout.splitlines()) - 1, "a line each"


def test_the_python_of_a_file_comes_as_it_is(tmp_path: Path) -> None:
    line = f"# {'long ' * 60}\n\n\n"
    text = (
        (ROOT / "strategies" / "curriculum.py").read_text("utf-8").replace('name="curriculum"', 'name="mine"')
    )
    file = tmp_path / "mine.py"
    file.write_bytes((text + line).encode() + "# ü\tend".encode())
    assert slubench("show", file, COLUMNS="40").stdout.encode() == file.read_bytes()
    named = slubench("show", "curriculum", COLUMNS="40").stdout
    compile(named, "curriculum.py", "exec")
    assert named.endswith((ROOT / "strategies" / "curriculum.py").read_text("utf-8"))
    assert "# summary\tText first" in named


def test_a_task_is_shown_in_a_pipe_without_wrapping() -> None:
    lines = dict(
        line.split("\t", 1) for line in slubench("show", "massive-de", COLUMNS="40").stdout.splitlines()
    )
    assert lines["repositories"] == "FBK-MT/Speech-MASSIVE FBK-MT/Speech-MASSIVE-test"
