"""Options that several commands share; each can be set as SLUBENCH_<OPTION> too."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from slubench.runtime.streams import takes_unicode

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
AskOption = Annotated[
    str,
    typer.Option(
        "--ask",
        envvar="SLUBENCH_ASK",
        metavar="WAY,WAY",
        help="speech,text; and own-transcript: what the model itself heard before it was trained, as text.",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON on stdout, for programs.")]


def print_json(value: object) -> None:
    """Print JSON on stdout, in ASCII where its encoding lacks characters; unknown types as text."""
    print(json.dumps(value, default=str, ensure_ascii=not takes_unicode(sys.stdout)))


def say(line: str) -> None:
    """Note a step on stderr."""
    print(line, file=sys.stderr, flush=True)


@contextmanager
def progress(name: str, length: int) -> Iterator[Callable[[int], None]]:
    """A progress bar on stderr, where that is a terminal and there is much to do."""
    if length < 50 or not sys.stderr.isatty():
        yield lambda done: None
        return
    from rich.console import Console
    from rich.progress import MofNCompleteColumn, Progress

    columns = (*Progress.get_default_columns(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(name, total=length)
        yield lambda done: progress.update(task, completed=done)


TaskOption = Annotated[
    str,
    typer.Option(
        "--task", envvar="SLUBENCH_TASK", metavar="NAME", help="What is asked; see `slubench list`."
    ),
]
StrategyOption = Annotated[
    str,
    typer.Option(
        "--strategy",
        envvar="SLUBENCH_STRATEGY",
        metavar="NAME|FILE",
        help="How one trains, or a file that says.",
    ),
]
SpeechOption = Annotated[
    str,
    typer.Option(
        "--speech",
        envvar="SLUBENCH_SPEECH",
        metavar="5%|20min|230|few115|0",
        help="How much of the task's speech may be heard: a share, minutes, utterances, or the published"
        " 115. `+all-recordings` behind it buys every recording of a sentence, `+stratified` draws each"
        " intent in its share (unranked).",
    ),
]
TargetOption = Annotated[
    str,
    typer.Option(
        "--target",
        envvar="SLUBENCH_TARGET",
        metavar="none|text|text+speech|all-text|all-text+speech",
        help="For cross-lingual tasks: what of the test's language may be learnt from beside the source"
        " speech; text and speech are those of the published 115, all-text is all of MASSIVE's.",
    ),
]
SelectionOption = Annotated[
    str,
    typer.Option(
        "--selection",
        envvar="SLUBENCH_SELECTION",
        metavar="last|watch-text|watch-clips|oracle-selection",
        help="What a training looks at beside what it learns. last: nothing. watch-text: the loss on"
        " validation text. watch-clips: the loss on a tenth of the bought clips, which are not learnt then"
        " (unranked). With these the last weights count; with oracle-selection those of the least loss on"
        " the spoken validation split (unranked).",
    ),
]
SeedOption = Annotated[
    int | None, typer.Option("--seed", envvar="SLUBENCH_SEED", min=0, help="Sets both seeds.")
]
DataSeedOption = Annotated[
    int, typer.Option("--data-seed", envvar="SLUBENCH_DATA_SEED", min=0, help="Draws the clips.")
]
TrainSeedOption = Annotated[
    int, typer.Option("--train-seed", envvar="SLUBENCH_TRAIN_SEED", min=0, help="Draws the rest.")
]
