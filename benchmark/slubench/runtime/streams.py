"""stdout and stderr that take any text, whatever their encoding, and that are there."""

from __future__ import annotations

import io
import os
import sys


def open_streams() -> None:
    """Let no character be an error: what an encoding lacks is written as an escape."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # closed by whoever started us (`>&-`)
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def takes_unicode(stream: object) -> bool:
    """Whether every character can be written to a stream as it is."""
    encoding = str(getattr(stream, "encoding", None) or "utf-8")
    return encoding.lower().replace("-", "").replace("_", "").startswith("utf")
