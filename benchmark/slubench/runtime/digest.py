"""Digests: of files (remembered by size and time of change) and of plain values."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
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
            try:
                self._known.update(json.loads(self.memory.read_text("utf-8")))
            except (ValueError, OSError):
                self._known.clear()
        stat = file.stat()
        key = f"{file.resolve()}:{stat.st_size}:{stat.st_mtime_ns}"
        if key not in self._known:
            with file.open("rb") as stream:
                self._known[key] = hashlib.file_digest(stream, "sha256").hexdigest()
            write_text(self.memory, json.dumps(self._known))
        return self._known[key]


def digest(value: Any) -> str:
    """The SHA-256 of a JSON value, whatever the order of its keys."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
