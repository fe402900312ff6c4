"""Digests: of files (remembered by size and time of change) and of plain values."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from slubench.runtime.files import write_text


@dataclass(frozen=True)
class Digests:
    """SHA-256 of files, remembered in one JSON file so that gigabytes are read once.

    Attributes:
        memory: The JSON file; a file whose path, size and time of change are known is not read.
    """

    memory: Path
    _known: dict[str, str] = field(default_factory=dict, repr=False)

    def of_files(self, files: Iterable[Path]) -> str:
        """A digest of the contents of files and of their names, in the order given."""
        parts = [f"{file.name}:{self.of_file(file)}" for file in files]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    def of_file(self, file: Path) -> str:
        """The SHA-256 of a file's content in hexadecimal digits."""
        if not self._known and self.memory.exists():
            self._known.update(_read(self.memory))
        stat = file.stat()
        key = f"{file.resolve()}:{stat.st_size}:{stat.st_mtime_ns}"
        if key not in self._known:
            self._known[key] = sha256_of(file)
            # What can't be remembered, on a disk that is full or read-only, is read again next time.
            with suppress(OSError):
                write_text(self.memory, json.dumps(self._known))
        return self._known[key]


def _read(memory: Path) -> dict[str, str]:
    """What is remembered; nothing where the file is damaged."""
    try:
        content = json.loads(memory.read_text("utf-8"))
    except (ValueError, OSError):
        return {}
    known = content.items() if isinstance(content, dict) else ()
    return {name: value for name, value in known if isinstance(value, str) and len(value) == 64}


def sha256_of(file: Path) -> str:
    """The SHA-256 of a file's content, read whatever is remembered."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def digest(value: Any) -> str:
    """The SHA-256 of a JSON value, whatever the order of its keys."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
