"""Runs a command without network, and with access only to given files.

Bubblewrap builds the walls: new namespaces of mounts, network, processes and users, in which nothing is there
but what is bound. Landlock, which Linux has too, was looked at and left: its rules can't take a folder out of
one that may be read (the miniature's test lies inside the installed package), and its network rules know TCP
alone. What is not walled off: the kernel itself, time and processor.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from slubench.errors import MissingError, SlubenchError
from slubench.runtime.child_process import last_line

# Programs and shared libraries, and what the loader needs to find them.
SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/etc/alternatives", "/etc/localtime")
LOADER = ("/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d")
# How many cores and GPUs there are; nothing of it can be written.
DEVICES = ("/sys/devices", "/sys/bus", "/sys/class", "/sys/module")
GPUS = "nvidia*"
INSTALL = "Install it (Debian, Ubuntu: apt-get install bubblewrap; Fedora: dnf install bubblewrap)"


@dataclass(frozen=True)
class Walls:
    """What a command may reach, beside the system's programs and libraries.

    Attributes:
        readable: Files and folders that may be read.
        writable: Files and folders that may be read and written.
        hidden: What is not to be had although it lies below one of the others: a folder is empty, a file
            can't be opened. What lies below it and is named too can be reached.
    """

    readable: tuple[Path, ...] = ()
    writable: tuple[Path, ...] = ()
    hidden: tuple[Path, ...] = ()


class SandboxError(SlubenchError):
    """A command in the sandbox failed or took too long."""


def find_bubblewrap() -> str:
    """The program that builds sandboxes, tried once.

    Raises:
        MissingError: It is not installed, or the kernel does not let it work.
    """
    program = shutil.which("bwrap")
    if program is None:
        raise MissingError(f"The sandbox needs bubblewrap (bwrap), which was not found. {INSTALL}.")
    tried = subprocess.run(
        [program, "--unshare-all", "--ro-bind", "/", "/", "true"], capture_output=True, text=True
    )
    if tried.returncode:
        raise MissingError(
            "The sandbox cannot be created on this machine: "
            f"{tried.stderr.strip() or 'bwrap fails'}. It needs user namespaces: allow them "
            "(sysctl user.max_user_namespaces, kernel.unprivileged_userns_clone=1, "
            "kernel.apparmor_restrict_unprivileged_userns=0), or run outside the container."
        )
    return program


def python_paths() -> tuple[Path, ...]:
    """What this Python, its libraries and this package need to be read.

    Folders of the path that may hold more than code, such as the one a command is started in, are not there.
    """
    package = Path(__file__).resolve().parents[1]
    libraries = [Path(entry) for entry in sys.path if entry.endswith(("site-packages", "dist-packages"))]
    every = (Path(sys.prefix), Path(sys.base_prefix), *libraries, package)
    return tuple(dict.fromkeys(path for path in every if path.exists()))


def run_sandboxed(
    command: Sequence[str],
    walls: Walls,
    log: Path,
    environment: Mapping[str, str] | None = None,
    timeout: float | None = None,
) -> None:
    """Run a command in the sandbox until it ends.

    It has no network, an empty /tmp for its HOME, no variable of this process's environment, and ends when
    this process does.

    Args:
        command: The program and its arguments.
        walls: What it may reach.
        log: File that takes what it prints.
        environment: Its variables.
        timeout: Seconds after which it is ended.

    Raises:
        MissingError: There is no sandbox here.
        SandboxError: It failed, or took too long; the message bears the end of what it printed.
    """
    sandboxed = confined(find_bubblewrap(), command, walls, environment or {})
    log.parent.mkdir(parents=True, exist_ok=True)
    with (
        log.open("wb") as printed,
        subprocess.Popen(
            sandboxed, stdin=subprocess.DEVNULL, stdout=printed, stderr=subprocess.STDOUT, env={}
        ) as process,
    ):
        try:
            code = process.wait(timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            raise SandboxError(f"In the sandbox {_short(command)} took longer than {timeout:g} s.") from None
        except BaseException:
            process.kill()
            raise
    if code:
        how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        raise SandboxError(f"In the sandbox {_short(command)} ended with {how}: {last_line(log)}")


def confined(
    bubblewrap: str, command: Sequence[str], walls: Walls, environment: Mapping[str, str]
) -> list[str]:
    """The command line that runs `command` in the sandbox."""
    arguments = [bubblewrap, "--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL"]
    arguments += ["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "--chdir", "/tmp", "--clearenv"]
    inside = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/tmp", "USER": "nobody", "LANG": "C.UTF-8"}
    for name, value in (inside | dict(environment)).items():
        arguments += ["--setenv", name, value]
    for path in (*SYSTEM, *LOADER, *DEVICES):
        # A link stays a link (/lib to /usr/lib): bound twice, what is hidden in one were there in the other.
        linked = ["--symlink", os.readlink(path)] if os.path.islink(path) else ["--ro-bind-try", path]
        arguments += [*linked, path]
    for device in sorted(Path("/dev").glob(GPUS)):
        arguments += ["--dev-bind-try", str(device), str(device)]
    # What lies deeper is laid over what holds it, so that the nearest rule counts.
    for _, option in sorted(_mounts(walls), key=lambda mount: len(mount[0].parts)):
        arguments += option
    return [*arguments, "--", *command]


def _mounts(walls: Walls) -> list[tuple[Path, list[str]]]:
    mounts: list[tuple[Path, list[str]]] = []
    names: dict[Path, Path] = {}
    for option, paths in (("--ro-bind", walls.readable), ("--bind", walls.writable)):
        for path in paths:
            real = Path(os.path.realpath(path))
            # Under the name it was given and under its own, so that links that lead there still do.
            for name in dict.fromkeys((Path(os.path.abspath(path)), real)):
                names[name] = real
                mounts.append((name, [option, str(real), str(name)]))
    for path in walls.hidden:
        real = Path(os.path.realpath(path))
        places = {real} if any(real.is_relative_to(system) for system in SYSTEM) else set()
        places |= {name / real.relative_to(root) for name, root in names.items() if real.is_relative_to(root)}
        for place in sorted(places) if real.exists() else ():
            empty = ["--tmpfs"] if real.is_dir() else ["--ro-bind", "/dev/null"]
            mounts.append((place, [*empty, str(place)]))
    return mounts


def _short(command: Sequence[str]) -> str:
    return " ".join(Path(part).name if part.startswith("/") else part for part in command[:4])
