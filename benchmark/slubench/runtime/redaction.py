"""What is told of a run in public names no folder, user or host of the machine that made it."""

from __future__ import annotations

import functools
import getpass
import os
import platform
import re
import tempfile
from collections.abc import Callable
from pathlib import Path, PureWindowsPath
from typing import Any, Final

_LONGEST: Final = 500
_PLAIN_NAMES: Final = frozenset(
    "root user admin runner ubuntu debian guest test build work home worker node docker localhost host"
    " cpu cuda gpu mps vllm transformers torch native live merged mixed greedy full mini tiny audio text"
    " speech model adapter train".split()
)
"""Users and hosts called so are told apart from the words of a report by nobody."""

# A name of one folder alone ("/s") is no place; from two on it tells where something lies.
_POSIX: Final = re.compile(
    r"(?<![\w.~/-])(?:file:)?(?:~[\w.-]*)?/(?:[^\s/'\"`,;()<>|]+/+)+([^\s/'\"`,;:()<>|]*)"
)
_WINDOWS: Final = re.compile(
    r"(?<!\w)(?:[A-Za-z]:[\\/]|\\\\)(?:[^\s\\/'\"`,;:()<>|]+[\\/])*([^\s\\/'\"`,;:()<>|]*)"
)


def without_paths(value: Any) -> Any:
    """A value whose texts, keys among them, name no folder of a machine; of a path its last name stays."""
    return _changed(value, _bare)


def redacted(value: Any) -> Any:
    """A value whose texts name neither folder, user nor host of this machine."""
    return _changed(value, lambda text: _anonymous(_bare(text)))


def public_line(text: str) -> str:
    """A text as one line that may be published: no paths, what can't be printed escaped, and not too long."""
    line = "".join(one if one.isprintable() else ascii(one)[1:-1] for one in _bare(text[: 2 * _LONGEST]))
    return line if len(line) <= _LONGEST else line[: _LONGEST - 3] + "..."


def _changed(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, dict):
        return {
            change(key) if isinstance(key, str) else key: _changed(one, change) for key, one in value.items()
        }
    if isinstance(value, list | tuple):
        return [_changed(one, change) for one in value]
    return change(value) if isinstance(value, str) else value


def _bare(text: str) -> str:
    if "/" not in text and "\\" not in text:
        return text
    if Path(text).is_absolute():
        return Path(text).name
    if PureWindowsPath(text).is_absolute():
        return PureWindowsPath(text).name
    for folder in _own_folders():
        # Its name may hold blanks, where a path in a text would seem to end.
        text = re.sub(rf"{re.escape(folder)}(?=[/\\]|$)", "~", text)
    return _WINDOWS.sub(r"\1", _POSIX.sub(r"\1", text.replace("file://", "")))


@functools.cache
def _own_folders() -> tuple[str, ...]:
    found = {os.path.expanduser("~"), tempfile.gettempdir()}
    return tuple(sorted((one for one in found if len(Path(one).parts) > 1), key=len, reverse=True))


def _anonymous(text: str) -> str:
    for pattern, mark in _names():
        text = pattern.sub(mark, text)
    return text


def _names() -> tuple[tuple[re.Pattern[str], str], ...]:
    hosts = (platform.node(), platform.node().partition(".")[0])
    return tuple(
        (re.compile(rf"(?<![\w-]){re.escape(name)}(?![\w-])", re.IGNORECASE), mark)
        for name, mark in ((_user(), "[user]"), *((host, "[host]") for host in hosts))
        if len(name) > 2 and name.lower() not in _PLAIN_NAMES
    )


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return ""
