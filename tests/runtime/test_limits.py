"""What runs in a sandbox uses no more than it may, and nothing of it is left, whatever it does."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from slubench.runtime.limits import LimitError, Limits, in_units, look_over
from slubench.runtime.remove_tree import remove_tree
from slubench.runtime.sandbox import SandboxError, Walls, python_paths, run_sandboxed

MEBI = 2**20
LIMITS = Limits(memory=192 * MEBI, processes=40, disk=8 * MEBI, files=50, output=MEBI, deepest=6)
BOMB = "import os\nwhile True:\n    try: os.fork()\n    except OSError: pass"
HOG = "kept = []\nwhile True: kept.append(bytearray(10_000_000))"
# Each stays below the limit of a process; all together do not.
HOGS = """
import os, time
for _ in range(6):
    if not os.fork():
        break
kept = b"x" * 90_000_000
time.sleep(60)
"""
THREADS = """
import threading, time
threading.stack_size(65_536)
for _ in range(100):
    threading.Thread(target=time.sleep, args=(60,)).start()
"""
MANY = """
import os, time
for n in range(100_000):
    open(f"{os.environ['W']}/{n}", "w").close()
time.sleep(60)
"""
DEEP = """
import os, time
os.chdir(os.environ["W"])
for _ in range(10_000):
    os.mkdir("d")
    os.chdir("d")
time.sleep(60)
"""
SPARSE = "import os\nwith open(os.environ['W'] + '/sparse', 'w') as file: file.truncate(2**40)"
# Each file is below the limit, and empty on the disk.
SPARSE_ONES = """
import os, time
for n in range(20):
    with open(f"{os.environ['W']}/{n}", "w") as file:
        file.truncate(2**20)
time.sleep(60)
"""
FLOOD = "while True: print('x' * 10_000)"
SHARED = """
for n in range(20):
    with open(f"/dev/shm/{n}", "wb") as file:
        file.write(bytes(2**22))
"""
TEMPORARY = "import os\nfor n in range(100_000): open(f'/tmp/{n}', 'w').close()\nimport time; time.sleep(60)"
IGNORES = """
import os, signal, time
for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
    signal.signal(number, signal.SIG_IGN)
while True: time.sleep(60)
"""
DAEMON = """
import os, time
if not os.fork():
    os.setsid()
    if not os.fork():
        for number in range(3):
            os.close(number)
        time.sleep(600)
    os._exit(0)
time.sleep(0.5)
"""
FORGED = "import os\nos.write(int(os.environ['SLUBENCH_SEAL']), b'x' * 2_000_000)"


def run(code: str, folder: Path, seconds: float = 30.0, limits: Limits = LIMITS) -> None:
    """Run Python in a sandbox that may write into a folder."""
    folder.mkdir(exist_ok=True)
    walls = Walls(python_paths(), (folder,))
    command = [sys.executable, "-c", code]
    run_sandboxed(command, walls, folder.parent / "log", {"W": str(folder)}, seconds, limits)


def in_namespaces() -> set[str]:
    """The processes of this machine that have another namespace of processes than this one."""
    own = os.readlink("/proc/self/ns/pid")
    found = set()
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            if os.readlink(f"/proc/{name}/ns/pid") != own:
                command = Path(f"/proc/{name}/cmdline").read_bytes()
                found.add(f"{name} {command!r}")
        except OSError:
            continue
    return found


@pytest.mark.sandbox
@pytest.mark.parametrize(
    ("code", "message"),
    [
        (BOMB, "started more than 40 processes and threads"),
        (THREADS, "started more than 40 processes and threads"),
        (HOG, r"memory is limited|used more than 192 MiB of memory"),
        (HOGS, "used more than 192 MiB of memory"),
        (SHARED, r"space in /tmp and /dev/shm is limited"),
        (MANY, "made more than 50 files and folders"),
        (TEMPORARY, "made more than 50 files and folders"),
        (DEEP, r"made folders more than 6 levels deep|made more than 50 files"),
        (SPARSE, "the length of files is limited"),
        (SPARSE_ONES, "wrote files of more than 8 MiB"),
        (FLOOD, "printed more than 1 MiB"),
        (IGNORES, "took longer than 2 s"),
        (DAEMON, "left processes running when it had ended"),
        (FORGED, "told more than 1 MiB about its files"),
    ],
)
def test_what_a_program_does_beyond_its_limits_ends_it_whole(code: str, message: str, tmp_path: Path) -> None:
    mark = f"# {tmp_path}"
    folder = tmp_path / "written"
    with pytest.raises(SandboxError, match=message):
        run(f"{mark}\n{code}", folder, 2.0 if code == IGNORES else 60.0)
    assert not [process for process in in_namespaces() if str(tmp_path) in process]
    assert (tmp_path / "log").stat().st_size < 2 * MEBI
    remove_tree(folder)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["log"]


@pytest.mark.sandbox
def test_no_place_but_those_given_takes_a_file(tmp_path: Path) -> None:
    hidden = tmp_path / "given" / "hidden"
    hidden.mkdir(parents=True)
    places = ["/x", "/dev/x", "/etc/x", f"{hidden}/x"]
    code = f"""
for place in {places!r}:
    try:
        open(place, "w")
    except OSError as error:
        assert error.strerror == "Read-only file system", place
    else:
        raise SystemExit(place)
for place in ("/tmp/x", "/dev/shm/x"):
    open(place, "w").write("x")
"""
    walls = Walls((*python_paths(), hidden.parent), (), (hidden,))
    run_sandboxed([sys.executable, "-c", code], walls, tmp_path / "log", {}, 60.0, LIMITS)


@pytest.mark.sandbox
def test_an_honest_program_is_not_disturbed(tmp_path: Path) -> None:
    code = """
import multiprocessing, os
with multiprocessing.get_context("spawn").Pool(3) as pool:
    assert pool.map(abs, range(-9, 0)) == [*range(9, 0, -1)]
open(os.environ["W"] + "/x", "w").write("x" * 1_000)
print("done")
"""
    run(f"if __name__ == '__main__':\n{code.replace(chr(10), chr(10) + '    ')}", tmp_path / "written", 60.0)
    assert (tmp_path / "log").read_text() == "done\n"


@pytest.mark.sandbox
def test_what_it_used_is_measured_while_it_runs_and_it_may_end_early(tmp_path: Path) -> None:
    """A program that closes what it prints to is waited for all the same."""
    code = (
        "import os, time\nos.close(1); os.close(2); time.sleep(1)\nopen(os.environ['W'] + '/x', 'w').close()"
    )
    run(code, tmp_path / "written")
    assert (tmp_path / "written" / "x").exists()


def test_a_folder_is_looked_at_as_far_as_it_may_be_filled(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "file").write_bytes(bytes(1_000))
    (tmp_path / "link").symlink_to("/etc")
    os.mkfifo(tmp_path / "pipe")
    found = look_over([tmp_path], LIMITS)
    assert found.paths == (tmp_path / "a" / "b" / "file",)
    assert set(found.strange) == {tmp_path / "link", tmp_path / "pipe"}
    for limits, message in (
        (Limits(files=4), "more than 4 files"),
        (Limits(deepest=2), "more than 2 levels deep"),
        (Limits(disk=999), "files of more than 999 bytes"),
    ):
        with pytest.raises(LimitError, match=message):
            look_over([tmp_path], limits)


def test_a_folder_is_removed_however_deep_it_is_and_whatever_its_rights(tmp_path: Path) -> None:
    folder = tmp_path / "deep"
    folder.mkdir()
    outside = tmp_path / "outside"
    outside.write_text("kept")
    handle = os.open(folder, os.O_RDONLY)
    for level in range(3_000):
        os.mkdir("d", dir_fd=handle)
        below = os.open("d", os.O_RDONLY, dir_fd=handle)
        if level % 1_000 == 0:
            os.symlink(outside, "link", dir_fd=handle)
            os.fchmod(handle, 0)
        os.close(handle)
        handle = below
    os.close(handle)
    remove_tree(folder)
    remove_tree(folder)
    assert [path.name for path in tmp_path.iterdir()] == ["outside"]
    assert outside.read_text() == "kept"


def test_sizes_are_told_in_units() -> None:
    assert [in_units(size) for size in (999, 2**20, 3 * 2**29, 2**40)] == [
        "999 bytes",
        "1 MiB",
        "1.5 GiB",
        "1024 GiB",
    ]
