"""`make mini`: makes what is missing of the embedded corpus and model, step after step (docs/mini.md).

Each step is resumable by itself; killed at any moment, the same command goes on.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from slubench.data.editions import MINI_CORPUS
from tools.mini.speech import default_folder

DATA = MINI_CORPUS.parent
CACHE = default_folder().parent


def main(
    out: Annotated[Path, typer.Option(help="Where corpus and model are written.")] = DATA,
    cache: Annotated[
        Path, typer.Option(help="Where the pretraining's speech, features and state are kept.")
    ] = CACHE,
    steps: Annotated[int, typer.Option(min=1, help="Steps of the pretraining.")] = 12_000,
    workers: Annotated[int, typer.Option(min=1, help="Processes.")] = 2,
) -> None:
    """Speak the corpora, pretrain the model, export it."""
    speech, features, state = cache / "speech", cache / "features", cache / "pretraining"
    _step("tools.mini.corpus", "--out", out / "corpus", "--workers", workers)
    _step("tools.mini.speech", "--out", speech, "--workers", workers)
    _step("tools.mini.model.features", "--speech", speech, "--out", features)
    options = ("--steps", steps, "--out", state, "--features", features, "--processes", workers)
    _step("tools.mini.model.pretrain", *options)
    from tools.mini.model.state import export

    export(state, out / "tiny")
    _step("tools.mini.model.evaluate", "--checkpoint", out / "tiny", "--speech", speech)


def _step(module: str, *arguments: object) -> None:
    subprocess.run([sys.executable, "-m", module, *map(str, arguments)], check=True)


if __name__ == "__main__":
    typer.run(main)
