"""How much is printed on stderr: set by `-q` and `-v`, and inherited by processes of ours."""

from __future__ import annotations

import os

QUIET, VERBOSE = "SLUBENCH_QUIET", "SLUBENCH_VERBOSE"
_OFF = ("", "0", "false", "no", "off")


def is_quiet() -> bool:
    """Whether only results and errors are printed."""
    return _is_on(QUIET)


def is_verbose() -> bool:
    """Whether details are printed too: versions, log files, and the traceback of an error."""
    return _is_on(VERBOSE) and not is_quiet()


def set_verbosity(*, quiet: bool, verbose: bool) -> None:
    """Apply `-q` and `-v` to this process and to those that it starts; neither leaves all as it is."""
    if quiet or verbose:
        os.environ[QUIET], os.environ[VERBOSE] = ("1", "0") if quiet else ("0", "1")


def _is_on(name: str) -> bool:
    return os.environ.get(name, "").strip().lower() not in _OFF
