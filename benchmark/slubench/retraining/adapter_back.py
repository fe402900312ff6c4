"""Takes the adapter that was trained in the sandbox: its weights and figures, and nothing that could run."""

from __future__ import annotations

import shutil
from pathlib import Path

from slubench.digest import Digests
from slubench.errors import VerificationError
from slubench.run import Run
from slubench.submission.dressing import dress, tensors
from slubench.submission.plain import opened, parse_object

REPORT = "training.json"
MOST = 64 * 2**20
"""Bytes of the report that a training may write."""


def take_adapter(made: Path, folder: Path, run: Run, digests: Digests) -> None:
    """Copy weights and report; the config follows from the recipe, not from what the sandbox wrote.

    Args:
        made: The adapter's folder as the sandbox wrote it.
        folder: Where it goes; made here.
        run: The run.
        digests: Digests of the model's files.

    Raises:
        VerificationError: It is not there, or holds something else than safetensors.
    """
    from safetensors import SafetensorError

    folder.mkdir(parents=True)
    weights = sorted(path for path in made.glob("*.safetensors"))
    if not weights or made.is_symlink():
        raise VerificationError(f"The training of {run.strategy.name} left no weights in safetensors.")
    for path in (*weights, made / REPORT):
        with opened(path, path.name) as file, (folder / path.name).open("wb") as copy:
            shutil.copyfileobj(file, copy)
    report = folder / REPORT
    if report.stat().st_size > MOST:
        raise VerificationError(f"The training of {run.strategy.name} left a report of {MOST:,} bytes.")
    parse_object(report.read_bytes(), REPORT)
    try:
        for path in weights:
            tensors(folder / path.name)
    except SafetensorError as error:
        raise VerificationError(f"{path.name} of the training is no safetensors file ({error}).") from None
    dress(folder, run.model, run.track, digests)
