"""A process in a sandbox tells which files it has made, with their digests, before its last words.

What it told is held against the files when it has ended: what strategy code changes on its way out is found.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from pathlib import Path

CHANNEL = "SLUBENCH_SEAL"
"""The environment variable that names the file descriptor to tell it on; it is set in a sandbox alone."""


def seal(paths: Iterable[Path]) -> None:
    """Tell that these files are finished; outside a sandbox nothing happens."""
    channel = os.environ.get(CHANNEL)
    if channel is None:
        return
    told = {}
    for path in paths:
        with path.open("rb") as file:
            told[str(path)] = hashlib.file_digest(file, "sha256").hexdigest()
    os.write(int(channel), json.dumps({"sealed": told}).encode() + b"\n")
