"""Checks a checkpoint's folder without loading it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from slubench.domain.family import Family
from slubench.domain.model import Model
from slubench.errors import DataError, MissingError


def find(model: Model) -> Path:
    """The folder of the model's checkpoint, downloaded before the job was written.

    Raises:
        MissingError: There is no checkpoint in it.
    """
    folder = Path(model.repository).expanduser()
    if not (folder / "config.json").exists():
        raise MissingError(f"There is no checkpoint of {model.name} in {folder}: config.json is missing.")
    return folder.resolve()


def is_checkpoint(folder: Path) -> bool:
    """Whether the folder contains a full model rather than an adapter."""
    return (folder / "config.json").exists() and not (folder / "adapter_config.json").exists()


def require_whole(folder: Path, family: Family) -> None:
    """Check that a checkpoint can be served: it has weights in safetensors, and its family's other files.

    Raises:
        DataError: Something is missing or pickled.
    """
    if not list(folder.glob("*.safetensors")):
        pickled = (
            " Its weights are pickled, which can run code and is not supported." if _pickled(folder) else ""
        )
        raise DataError(f"The checkpoint {folder} has no *.safetensors.{pickled} Save it as safetensors.")
    for group in family.files:
        if not any((folder / name).exists() for name in group):
            raise DataError(
                f"The checkpoint {folder} has no {' or '.join(group)}; "
                "save the base model's processor beside the weights."
            )


def _pickled(folder: Path) -> bool:
    return any(list(folder.glob(pattern)) for pattern in ("*.bin", "*.pt", "*.pth", "*.ckpt"))


def fingerprint(*folders: Path) -> str:
    """A 16-digit hash that changes with any file of the folders.

    Small files count by content; large ones, which would take minutes to hash, by name, size and time.
    """
    digest = hashlib.sha256()
    for folder in folders:
        for path in sorted(folder.iterdir()):
            if path.is_file() and not path.name.startswith("."):
                stat = path.stat()
                small = stat.st_size < 2**28
                content = hashlib.sha256(path.read_bytes()).hexdigest() if small else str(stat.st_mtime_ns)
                digest.update(json.dumps([path.name, stat.st_size, content]).encode())
        digest.update(b"\0")
    return digest.hexdigest()[:16]
