"""Behind walls there is no network and no file but those given; what is forbidden is really there."""

from __future__ import annotations

import http.server
import os
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import slubench
from slubench.cli.diagnosis import diagnose
from slubench.data.editions import MINI_CORPUS
from slubench.errors import MissingError
from slubench.runtime.home import Home
from slubench.runtime.sandbox import (
    SandboxError,
    Walls,
    confined,
    find_bubblewrap,
    python_paths,
    run_sandboxed,
)

PACKAGE = Path(slubench.__file__).resolve().parent
CODE = {"PYTHONPATH": str(PACKAGE.parent)}


def inside(code: str, walls: Walls, tmp_path: Path, timeout: float | None = 60.0) -> str:
    """What a Python prints that runs behind walls."""
    log = tmp_path / "log.txt"
    walls = Walls((*python_paths(), *walls.readable), walls.writable, walls.hidden)
    run_sandboxed([sys.executable, "-c", code], walls, log, CODE, timeout)
    return log.read_text("utf-8").strip()


@pytest.fixture
def address() -> Iterator[tuple[str, int]]:
    """A server of this machine that answers whoever reaches it."""
    server = http.server.HTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield "127.0.0.1", server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.sandbox
def test_no_network(address: tuple[str, int], tmp_path: Path) -> None:
    code = f"import socket; socket.create_connection({address!r}, 5).close(); print('reached')"
    outside = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert outside.stdout.strip() == "reached"
    with pytest.raises(SandboxError, match=r"Connection refused|Network is unreachable"):
        inside(code, Walls(), tmp_path)
    with pytest.raises(SandboxError, match="Network is unreachable"):
        inside("import socket; socket.create_connection(('192.0.2.1', 80), 5)", Walls(), tmp_path)
    code = "import socket; print([name for _, name in socket.if_nameindex()])"
    assert inside(code, Walls(), tmp_path) == "['lo']"


@pytest.mark.sandbox
def test_no_socket_of_the_machine_by_its_file_or_abstract_name(tmp_path: Path) -> None:
    listening = [socket.socket(socket.AF_UNIX), socket.socket(socket.AF_UNIX)]
    names = [str(tmp_path / "s"), f"\0slubench-test-{os.getpid()}"]
    for server, name in zip(listening, names, strict=True):
        server.bind(name)
        server.listen()
        code = f"import socket; socket.socket(socket.AF_UNIX).connect({name!r})"
        assert subprocess.run([sys.executable, "-c", code.replace("\0", "\\0")]).returncode == 0
        with pytest.raises(SandboxError, match=r"No such file|Connection refused"):
            inside(code, Walls(), tmp_path)
        server.close()


@pytest.mark.sandbox
def test_no_file_but_those_given(tmp_path: Path) -> None:
    given, secret = tmp_path / "given", tmp_path / "secret"
    for folder in (given, secret):
        folder.mkdir()
        (folder / "text").write_text(folder.name)
    (given / "link").symlink_to(secret / "text")
    walls = Walls(readable=(given,))
    assert inside(f"print(open({str(given / 'text')!r}).read())", walls, tmp_path) == "given"
    for path in (secret / "text", given / "link", given / ".." / "secret" / "text", Path("/etc/passwd")):
        assert path.read_text()
        with pytest.raises(SandboxError, match="No such file or directory"):
            inside(f"open({str(path)!r})", walls, tmp_path)
    found = inside(f"import os; print(sorted(os.listdir({str(tmp_path)!r})))", walls, tmp_path)
    assert found == "['given']"


@pytest.mark.sandbox
def test_what_may_be_read_may_not_be_written(tmp_path: Path) -> None:
    read, write = tmp_path / "read", tmp_path / "write"
    for folder in (read, write):
        folder.mkdir()
    walls = Walls(readable=(read,), writable=(write,))
    inside(f"open({str(write / 'there')!r}, 'w').write('x')", walls, tmp_path)
    assert (write / "there").read_text() == "x"
    for path in (read / "there", Path("/usr/there")):
        with pytest.raises(SandboxError, match="Read-only file system"):
            inside(f"open({str(path)!r}, 'w').write('x')", walls, tmp_path)
        assert not path.exists()
    inside(f"open({str(tmp_path / 'there')!r}, 'w').write('x')", walls, tmp_path)
    assert not (tmp_path / "there").exists()


@pytest.mark.sandbox
def test_what_is_hidden_is_empty_and_the_nearest_rule_counts(tmp_path: Path) -> None:
    outer = tmp_path / "outer"
    for name in ("shown", "hidden/kept", "hidden/gone"):
        (outer / name).mkdir(parents=True)
        (outer / name / "file").write_text(name)
    (outer / "alone").write_text("alone")
    alias = tmp_path / "alias"
    alias.symlink_to(outer)
    walls = Walls((outer, alias, outer / "hidden/kept"), (), (outer / "hidden", outer / "alone"))
    code = (
        "import pathlib\n"
        f"for root in ({str(outer)!r}, {str(alias)!r}):\n"
        "    root = pathlib.Path(root)\n"
        "    print(sorted(str(p.relative_to(root)) for p in root.rglob('file')))"
    )
    first, second = inside(code, walls, tmp_path).splitlines()
    assert first == "['hidden/kept/file', 'shown/file']"
    assert second == "['shown/file']"
    for root in (outer, alias):
        with pytest.raises(SandboxError, match="Permission denied"):
            inside(f"open({str(root / 'alone')!r})", walls, tmp_path)


@pytest.mark.sandbox
def test_the_embedded_corpus_can_be_hidden_from_its_own_package(tmp_path: Path) -> None:
    code = "from slubench.data.editions import MINI_CORPUS; print(len(list(MINI_CORPUS.rglob('*.parquet'))))"
    assert int(inside(code, Walls(), tmp_path)) > 0
    assert inside(code, Walls(hidden=(MINI_CORPUS,)), tmp_path) == "0"


@pytest.mark.sandbox
def test_no_variable_and_no_process_of_the_outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "secret")
    assert inside("import os; print(os.environ.get('HF_TOKEN'))", Walls(), tmp_path) == "None"
    code = f"import os; print(os.path.exists('/proc/{os.getpid()}/environ'), os.getpid() < 10)"
    assert inside(code, Walls(), tmp_path) == "False True"


@pytest.mark.sandbox
def test_what_takes_too_long_or_fails_is_told(tmp_path: Path) -> None:
    with pytest.raises(SandboxError, match=r"took longer than 0\.5 s"):
        inside("import time; time.sleep(60)", Walls(), tmp_path, timeout=0.5)
    with pytest.raises(SandboxError, match=r"ended with exit code 3: enough \[31mred"):
        inside("import sys; print('enough \\x1b[31mred'); sys.exit(3)", Walls(), tmp_path)


def test_without_bubblewrap_the_error_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingError, match="apt-get install bubblewrap"):
        find_bubblewrap()
    assert found_by_the_doctor(tmp_path) == "lacks"
    forbidden = tmp_path / "bwrap"
    forbidden.write_text("#!/bin/sh\necho 'bwrap: No permissions to create a new namespace' >&2\nexit 1\n")
    forbidden.chmod(forbidden.stat().st_mode | stat.S_IXUSR)
    with pytest.raises(MissingError, match=r"No permissions to create.*user\.max_user_namespaces"):
        find_bubblewrap()


@pytest.mark.sandbox
def test_the_doctor_finds_it(tmp_path: Path) -> None:
    assert found_by_the_doctor(tmp_path) == "ok"


def found_by_the_doctor(folder: Path) -> str:
    return next(found.state for found in diagnose(Home(folder)) if found.what == "sandbox")


@pytest.mark.sandbox
def test_the_walls_themselves_let_no_variable_in() -> None:
    """Whatever the environment of the program that builds them."""
    code = "import os; print(sorted({'HF_TOKEN', 'GIVEN'} & set(os.environ)))"
    walls = Walls(tuple(python_paths()))
    command = confined(find_bubblewrap(), [sys.executable, "-c", code], walls, {"GIVEN": "1"})
    environment = {**os.environ, "HF_TOKEN": "secret"}
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "['GIVEN']"
