"""Options that several commands share; each can be set as SLUBENCH_<OPTION> too."""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

HomeOption = Annotated[
    Path | None,
    typer.Option(
        "--home",
        envvar="SLUBENCH_HOME",
        metavar="DIR",
        help="Where runs, adapters and scores are kept. Default: the checkout one is in, else ./slubench.",
    ),
]
EditionOption = Annotated[
    str,
    typer.Option(
        "--edition",
        envvar="SLUBENCH_EDITION",
        metavar="auto|full|mini",
        help="full: the real corpus, and a model that wants a GPU. mini: embedded, runs anywhere.",
    ),
]
ModelOption = Annotated[
    str | None,
    typer.Option(
        "--model",
        envvar="SLUBENCH_MODEL",
        metavar="NAME|DIR",
        help="A declared model or a checkpoint's folder. Default: the edition's own.",
    ),
]
EngineOption = Annotated[
    str,
    typer.Option(
        "--engine",
        envvar="SLUBENCH_ENGINE",
        metavar="auto|vllm|transformers",
        help="What answers. auto takes vLLM where it is installed.",
    ),
]
ServingOption = Annotated[
    str,
    typer.Option(
        "--serving",
        envvar="SLUBENCH_SERVING",
        metavar="auto|live|merged",
        help="How vLLM serves an adapter: applied while serving, or merged into the weights.",
    ),
]
TrackOption = Annotated[
    str,
    typer.Option(
        "--track",
        envvar="SLUBENCH_TRACK",
        metavar="lora-lm|lora-lm+projector|full",
        help="Which parts learn.",
    ),
]
CorporaOption = Annotated[
    Path | None,
    typer.Option(
        "--corpora",
        envvar="SLUBENCH_CORPORA",
        metavar="DIR",
        help="A mirror in the Hub's own layout, read before the Hub.",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON on stdout, for programs.")]


@cache
def stderr() -> Console:
    """The console for progress and notes."""
    from rich.console import Console

    return Console(stderr=True, highlight=False, soft_wrap=True)


def say(line: str) -> None:
    """Note a step on stderr."""
    print(line, file=sys.stderr, flush=True)
