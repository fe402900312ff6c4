"""What is half written is never read as whole: on a full disk, when killed, when several write at once."""

from __future__ import annotations

import resource
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from slubench.data.clips import ClipStore
from slubench.runtime.digest import Digests
from slubench.runtime.files import replacing, write_text
from tests.command import slubench
from tests.massive_mirror import make_mirror, tone


def test_an_error_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "a" / "file.txt"
    write_text(path, "before")

    def fail() -> None:
        with replacing(path) as temporary:
            temporary.write_text("half of wh")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert path.read_text() == "before"
    assert [entry.name for entry in path.parent.iterdir()] == ["file.txt"]


def test_killed_while_writing_leaves_no_file(tmp_path: Path) -> None:
    code = (
        "import os, signal, sys; from pathlib import Path; from slubench.runtime.files import replacing\n"
        "with replacing(Path(sys.argv[1])) as temporary:\n"
        "    temporary.write_text('half of wh'); os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    path = tmp_path / "file.txt"
    subprocess.run([sys.executable, "-c", code, str(path)], env={"PYTHONPATH": "benchmark"})
    assert not path.exists()


@pytest.mark.slow
def test_a_full_disk_is_told_and_leaves_nothing_half_written(tmp_path: Path) -> None:
    """No file may grow beyond 20 kB: what a full disk does, where a test can't fill one."""
    mirror = make_mirror(tmp_path / "mirror")

    def full() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))

    code = (
        "import sys; from slubench.cli.app import main\n"
        "sys.argv = ['slubench', 'run', '--task', 'massive-de', '--strategy', 'direct-mix',"
        f" '--edition', 'full', '--model', 'tiny', '--corpora', {str(mirror)!r},"
        f" '--home', {str(tmp_path / 'home')!r}]\n"
        "main()"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code],
        # What is compiled would be cut off too, and be read by others.
        env={"PYTHONPATH": "benchmark", "HF_HUB_OFFLINE": "1", "PYTHONDONTWRITEBYTECODE": "1"},
        preexec_fn=full,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 1
    assert "Traceback" not in ran.stderr
    assert "no partial file was kept" in ran.stderr
    assert not [path for path in (tmp_path / "home" / "adapters_registry").iterdir() if path.name[0] != "."]
    assert not (tmp_path / "home" / "leaderboard").exists()


def test_several_decode_the_same_clips_at_once(tmp_path: Path) -> None:
    store = ClipStore(tmp_path, 16_000, 6.0)
    clips = [tone(0.2, 16_000, 200.0 + n % 5) for n in range(40)]
    with ThreadPoolExecutor(8) as pool:
        keys = list(pool.map(store.add, clips))
    assert len(set(keys)) == 5
    assert all(store.load(key).shape == (3200,) for key in keys)
    assert not list(tmp_path.rglob("*.tmp"))


def test_a_digest_is_remembered_and_follows_the_file(tmp_path: Path) -> None:
    memory, file = tmp_path / "digests.json", tmp_path / "file"
    file.write_text("one")
    first = Digests(memory).of_file(file)
    assert Digests(memory).of_file(file) == first
    assert memory.exists()
    file.write_text("two and more")
    assert Digests(memory).of_file(file) != first
    memory.write_text("{ torn")
    assert len(Digests(memory).of_file(file)) == 64


def test_home_is_the_option_the_variable_or_here(tmp_path: Path) -> None:
    assert str(tmp_path / "a") in slubench("doctor", "--home", tmp_path / "a").stdout
    assert str(tmp_path / "b") in slubench("doctor", SLUBENCH_HOME=str(tmp_path / "b")).stdout
