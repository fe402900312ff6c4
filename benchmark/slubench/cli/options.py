"""Options that several commands share, each declared once; each can be set as SLUBENCH_<OPTION> too."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from slubench.cli.command import DATA, MODEL, OUTPUT, WHAT
from slubench.cli.completion import complete_model, complete_strategy, complete_task
from slubench.runtime.streams import takes_unicode
from slubench.runtime.verbosity import is_quiet
from slubench.sweep.expand import MOST_SEED

HomeOption = Annotated[
    Path | None,
    typer.Option(
        "--home",
        rich_help_panel=OUTPUT,
        envvar="SLUBENCH_HOME",
        metavar="DIR",
        help="Folder for runs, adapters and scores. Default: the current checkout, or ./slubench.",
    ),
]
EditionOption = Annotated[
    str,
    typer.Option(
        "--edition",
        rich_help_panel=DATA,
        envvar="SLUBENCH_EDITION",
        metavar="auto|full|mini",
        help="full: real corpora, model needs a GPU. mini: included corpus and model, runs "
        "anywhere. auto: full if there is a CUDA GPU that its model fits, else mini.",
    ),
]
ModelOption = Annotated[
    str | None,
    typer.Option(
        "--model",
        autocompletion=complete_model,
        rich_help_panel=MODEL,
        envvar="SLUBENCH_MODEL",
        metavar="NAME|DIR",
        help="A declared model or a checkpoint's folder. Default: the edition's model.",
    ),
]
EngineOption = Annotated[
    str,
    typer.Option(
        "--engine",
        rich_help_panel=MODEL,
        envvar="SLUBENCH_ENGINE",
        metavar="auto|vllm|transformers",
        help="Inference engine; auto takes vLLM where it is installed.",
    ),
]
ServingOption = Annotated[
    str,
    typer.Option(
        "--serving",
        rich_help_panel=MODEL,
        envvar="SLUBENCH_SERVING",
        metavar="auto|live|merged",
        help="How vLLM serves an adapter: live (as LoRA) or merged into the weights.",
    ),
]
TrackOption = Annotated[
    str,
    typer.Option(
        "--track",
        rich_help_panel=MODEL,
        envvar="SLUBENCH_TRACK",
        metavar="lora-lm|lora-lm+projector|lora-all|full",
        help="Which parts of the model are trained.",
    ),
]
PeftOption = Annotated[
    str,
    typer.Option(
        "--peft",
        rich_help_panel=MODEL,
        envvar="SLUBENCH_PEFT",
        metavar="lora|dora|rslora|ia3|vera|oft",
        help="Method of peft in LoRA's place on the track; each has tables of its own.",
    ),
]
CorporaOption = Annotated[
    Path | None,
    typer.Option(
        "--corpora",
        rich_help_panel=DATA,
        envvar="SLUBENCH_CORPORA",
        metavar="DIR",
        help="A local mirror of the corpora in the Hub's layout; it is read before the Hub.",
    ),
]

InputsOption = Annotated[
    str,
    typer.Option(
        "--inputs",
        rich_help_panel=DATA,
        envvar="SLUBENCH_INPUTS",
        metavar="speech,text[,asr]",
        help="Inputs to evaluate on: the test's audio, its gold transcripts, and asr: transcripts by the same"
        " model before training.",
    ),
]
AskOption = Annotated[
    str | None,
    typer.Option("--ask", envvar="SLUBENCH_ASK", hidden=True, help="The name of --inputs until 0.2."),
]
LimitOption = Annotated[
    int | None,
    typer.Option(
        "--limit",
        rich_help_panel=DATA,
        envvar="SLUBENCH_LIMIT",
        metavar="N",
        min=1,
        help="Smoke run: read only the first N utterances of each split, in training and test. The scores are"
        " marked and never ranked.",
    ),
]
BatchSizeOption = Annotated[
    int | None,
    typer.Option(
        "--batch-size",
        rich_help_panel=MODEL,
        envvar="SLUBENCH_BATCH_SIZE",
        metavar="N",
        min=1,
        help="Most examples on the device at once, in training and prediction. Default: by free memory. The"
        " recipe's batch, which counts for results, stays.",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", rich_help_panel=OUTPUT, help="Print JSON to stdout.")]


def print_json(value: object) -> None:
    """Print JSON on stdout, in ASCII where its encoding lacks characters; unknown types as text."""
    print(json.dumps(value, default=str, ensure_ascii=not takes_unicode(sys.stdout)))


def say(line: str) -> None:
    """Report a step on stderr, unless --quiet is given."""
    if not is_quiet():
        print(line, file=sys.stderr, flush=True)


@contextmanager
def progress(name: str, length: int) -> Iterator[Callable[[int], None]]:
    """A progress bar on stderr, where that is a terminal and there is much to do.

    Args:
        name: What is done and to what, as in `decoding speech-massive de-DE train`.
        length: How many there are.
    """
    if length < 50 or is_quiet() or not sys.stderr.isatty():
        yield lambda done: None
        return
    from rich.console import Console

    from slubench.runtime.progress_bar import progress_bar

    verb, _, what = name.partition(" ")
    with progress_bar(Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=length, verb=verb)
        yield lambda done: bar.update(task, completed=done)


TaskOption = Annotated[
    str,
    typer.Option(
        "--task",
        autocompletion=complete_task,
        rich_help_panel=WHAT,
        envvar="SLUBENCH_TASK",
        metavar="NAME",
        help="Task to train for and evaluate; see `slubench list`.",
    ),
]
StrategyOption = Annotated[
    str,
    typer.Option(
        "--strategy",
        autocompletion=complete_strategy,
        rich_help_panel=WHAT,
        envvar="SLUBENCH_STRATEGY",
        metavar="NAME|FILE",
        help="Training strategy: a name or a file.",
    ),
]
SpeechOption = Annotated[
    str,
    typer.Option(
        "--speech",
        rich_help_panel=WHAT,
        envvar="SLUBENCH_SPEECH",
        metavar="5%|20min|230|few115|0",
        help="Speech budget: a share of the task's utterances, minutes, a number of utterances, or the"
        " published 115. With `+all-recordings` every recording of a sentence is used; `+stratified` keeps"
        " each intent's share (unranked).",
    ),
]
TargetOption = Annotated[
    str,
    typer.Option(
        "--target",
        rich_help_panel=DATA,
        envvar="SLUBENCH_TARGET",
        metavar="none|text|text+speech|all-text|all-text+speech",
        help="For cross-lingual tasks: data in the test's language to train on beside the source speech. text"
        " and speech are the published 115; all-text is all of MASSIVE's text.",
    ),
]
SelectionOption = Annotated[
    str,
    typer.Option(
        "--selection",
        rich_help_panel=MODEL,
        envvar="SLUBENCH_SELECTION",
        metavar="last|val-text|val-clips|oracle-selection",
        help="Which weights count, and on what validation loss is measured. last: the last weights, no"
        " validation. val-text: the last weights; loss on validation text. val-clips: the last weights; loss"
        " on a tenth of the bought clips, which are held out (unranked). oracle-selection: the weights with"
        " the lowest loss on the spoken validation split (unranked).",
    ),
]
SeedOption = Annotated[
    int | None,
    typer.Option(
        "--seed",
        rich_help_panel=WHAT,
        envvar="SLUBENCH_SEED",
        metavar="N",
        min=0,
        max=MOST_SEED,
        help="Sets data seed and train seed.",
    ),
]
DataSeedOption = Annotated[
    int,
    typer.Option(
        "--data-seed",
        rich_help_panel=WHAT,
        envvar="SLUBENCH_DATA_SEED",
        metavar="N",
        min=0,
        max=MOST_SEED,
        help="Seed of the clip selection.",
    ),
]
TrainSeedOption = Annotated[
    int,
    typer.Option(
        "--train-seed",
        rich_help_panel=WHAT,
        envvar="SLUBENCH_TRAIN_SEED",
        metavar="N",
        min=0,
        max=MOST_SEED,
        help="Seed for all but clip selection.",
    ),
]


@dataclass(frozen=True, kw_only=True)
class CellOptions:
    """What is trained and evaluated."""

    task: TaskOption
    strategy: StrategyOption
    model: ModelOption = None
    speech: SpeechOption = "5%"
    target: TargetOption = "none"


@dataclass(frozen=True, kw_only=True)
class PerformOptions:
    """How it is trained and evaluated, and where results are kept."""

    edition: EditionOption = "auto"
    engine: EngineOption = "auto"
    serving: ServingOption = "auto"
    track: TrackOption = "lora-lm"
    peft: PeftOption = "lora"
    selection: SelectionOption = "last"
    inputs: InputsOption = "speech,text"
    ask: AskOption = None
    home: HomeOption = None
    corpora: CorporaOption = None
    as_json: JsonOption = False
