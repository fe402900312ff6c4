"""An error that no code expects, told in one line; its traceback is kept in a file."""

from __future__ import annotations

import os
import site
import sys
import sysconfig
import tempfile
import time
import traceback
from pathlib import Path

from slubench.errors import shown_path
from slubench.runtime.verbosity import is_verbose

_MOST = 500


def told(error: BaseException) -> str:
    """An error in one line with the line of the user's own file, if one was running."""
    lines = [line.strip() for line in str(error).strip().splitlines() if line.strip()]
    text = "".join(letter if letter.isprintable() else " " for letter in sentence(lines))[:_MOST]
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if not _is_library(frame.filename)]
    place = next(reversed(own), None)
    at = f" ({shown_path(place.filename)}, line {place.lineno})" if place else ""
    return f"{type(error).__name__}{': ' + text if text else ''}{at}"


def kept_traceback(error: BaseException, folder: Path | None = None) -> str:
    """Write an error's traceback to a file and tell where, or print it if `-v` is given.

    Args:
        error: The error.
        folder: Where the file goes; None for a temporary one.
    """
    whole = "".join(traceback.format_exception(error))
    if is_verbose():
        sys.stderr.write(whole)
        return "The traceback is above."
    try:
        if folder is None:
            handle, name = tempfile.mkstemp(".txt", "slubench-error-")
            path, stream = Path(name), os.fdopen(handle, "w", encoding="utf-8")
        else:
            path = folder / "error.txt"
            stream = path.open("a", encoding="utf-8")
        with stream:
            stream.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {' '.join(sys.argv)}\n{whole}\n")
    except OSError:
        return "Run the command with -v to see the traceback."
    return f"The traceback is in {path}."


def sentence(lines: list[str]) -> str:
    """What an error says, without the headings and links that libraries put around it."""
    kept = [line for line in lines if not line.startswith(("For further information", "http"))]
    # pydantic: "N validation errors for X", the field, then "  Value error, ... [type=..., input_value=...]".
    told = next((line for line in kept if "[type=" in line), "")
    if told and "validation error" in kept[0]:
        return told.partition(" [type=")[0].removeprefix("Value error, ").removeprefix("Assertion failed, ")
    return kept[0] if kept else ""


def _is_library(file: str) -> bool:
    roots = [str(Path(__file__).parents[1]), sysconfig.get_path("stdlib"), sysconfig.get_path("purelib")]
    roots += site.getsitepackages() if hasattr(site, "getsitepackages") else []
    return file.startswith(("<", *roots))
