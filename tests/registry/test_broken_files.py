"""What is of no use is named in one line and set aside, unless it is what is asked for."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from slubench.errors import DeclarationError, UsageError
from slubench.registry import Registry
from tests.command import slubench
from tests.registry.declarations import STRATEGY, write

TEXTS: dict[str, tuple[str | bytes, str]] = {
    "an import": ("import nowhere_to_be_found\n", "line 1: the file cannot be imported: ModuleNotFoundError"),
    "a late error": (
        "x = 1\n\nraise ValueError('why')\n",
        "line 3: the file cannot be imported: ValueError",
    ),
    "syntax": ("def broken(:\n", "line 1: the file cannot be imported: SyntaxError"),
    "exit": ("import sys\nsys.exit('enough')\n", "line 2: the file cannot be imported: SystemExit: enough"),
    "exit 0": ("x = 1\nraise SystemExit\n", "line 2: the file cannot be imported: SystemExit"),
    "an interrupt": ("raise KeyboardInterrupt\n", "line 1: the file cannot be imported: KeyboardInterrupt"),
    "an odd exception": (
        "class Odd(BaseException):\n    def __str__(self): raise Odd\n\nraise Odd\n",
        "line 4: the file cannot be imported: Odd: its message cannot be shown",
    ),
    "lines": ("raise ValueError('a\\nb\\x1b[31m' + 'c' * 10_000)\n", "ValueError: a b [31mccc"),
    "not UTF-8": (b"# caf\xe9\nx = 1\n", "the file cannot be imported: UnicodeDecodeError"),
    "a text not UTF-8": (b"x = 'caf\xe9'\n", "the file cannot be imported: UnicodeDecodeError"),
    "null bytes": (b"x = 1\n\0\n", "the file cannot be imported: SyntaxError"),
    "nothing": ("x = 1\n", "declares no strategy"),
    "a bad name": (
        STRATEGY.format(name="Not A Name"),
        "line 4: the file cannot be imported: DeclarationError",
    ),
}


def folder(path: Path) -> None:
    path.mkdir(parents=True)


def lost_link(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(path.parent / "gone")


def loop(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(path)


def pipe(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    os.mkfifo(path)


def written(text: str | bytes) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        write(path, text)

    return make


CASES = [pytest.param(written(text), said, id=name) for name, (text, said) in TEXTS.items()] + [
    pytest.param(folder, "is a folder, not a Python file", id="folder"),
    pytest.param(lost_link, "is a broken link: No such file", id="lost link"),
    pytest.param(loop, "is a broken link: Too many levels", id="loop"),
    pytest.param(pipe, "is not a regular file", id="pipe"),
]


@pytest.mark.parametrize(("make", "said"), CASES)
def test_all_else_goes_on_working(tmp_path: Path, make: Callable[[Path], None], said: str) -> None:
    path = tmp_path / "strategies" / "broken_one.py"
    make(path)
    write(tmp_path / "strategies" / "mine.py", STRATEGY.format(name="mine"))
    lines: list[str] = []
    registry = Registry(tmp_path, lines.append)
    assert set(registry.strategies) == {*Registry().strategies, "mine"}
    assert registry.strategy("mine").summary == "mine"
    (line,) = lines
    assert line.startswith(f"set aside: {path}")
    assert said in line
    assert line.isprintable()
    assert len(line) < 500 + len(str(path))


@pytest.mark.parametrize(("make", "said"), CASES)
@pytest.mark.parametrize("asked", ["broken-one", "broken_one", "brokn-one", "path"])
def test_what_is_asked_for_is_an_error(
    tmp_path: Path, make: Callable[[Path], None], said: str, asked: str
) -> None:
    path = tmp_path / "strategies" / "broken_one.py"
    make(path)
    lines: list[str] = []
    registry = Registry(tmp_path, lines.append)
    with pytest.raises(DeclarationError) as caught:
        registry.strategy(str(path) if asked == "path" else asked)
    assert str(caught.value).startswith(str(path))
    assert said in str(caught.value)
    assert lines == []


def test_a_name_that_the_broken_file_holds_is_asked_of_it(tmp_path: Path) -> None:
    path = write(tmp_path / "strategies" / "ideas.py", STRATEGY.format(name="zig-zag") + "raise OSError\n")
    with pytest.raises(DeclarationError, match=r"line 5: the file cannot be imported: OSError") as caught:
        Registry(tmp_path).strategy("zig-zag")
    assert str(path) in str(caught.value)


def test_a_wrong_name_is_no_broken_file_s(tmp_path: Path) -> None:
    write(tmp_path / "strategies" / "broken.py", "raise OSError\n")
    lines: list[str] = []
    with pytest.raises(UsageError, match="Did you mean curriculum"):
        Registry(tmp_path, lines.append).strategy("curiculum")
    assert len(lines) == 1


def test_a_line_is_said_once(tmp_path: Path) -> None:
    write(tmp_path / "strategies" / "broken.py", "raise OSError\n")
    lines: list[str] = []
    registry = Registry(tmp_path, lines.append)
    assert registry.strategies == registry.strategies
    registry.strategy("curriculum")
    assert len(lines) == 1


def test_a_user_s_interrupt_is_one(tmp_path: Path) -> None:
    write(
        tmp_path / "strategies" / "slow.py",
        f"import os, time\nos.kill(os.getpid(), {int(signal.SIGINT)})\ntime.sleep(5)\n",
    )
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            _ = Registry(tmp_path).strategies
    finally:
        signal.signal(signal.SIGINT, before)


def test_the_command_line(home: Path) -> None:
    path = write(home / "strategies" / "broken.py", "import sys\nprint('loud')\nsys.exit(0)\n")
    ran = slubench("list", "strategies", "--json")
    assert '"curriculum"' in ran.stdout
    assert "loud" not in ran.stdout
    reason = f"{path}, line 3: the file cannot be imported: SystemExit: 0"
    assert ran.stderr.splitlines() == ["loud", f"set aside: {reason}"]
    assert slubench("show", "curriculum", "--json").stderr.splitlines()[-1] == f"set aside: {reason}"
    ran = slubench("run", "--task", "massive-de", "--strategy", "broken", code=2)
    assert ran.stderr.splitlines() == ["loud", f"slubench: {reason}"]
