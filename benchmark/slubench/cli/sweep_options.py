"""The options of `slubench sweep` and `slubench plan`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from slubench.cli.command import MACHINES, WHAT
from slubench.cli.options import (
    AskOption,
    CorporaOption,
    EditionOption,
    EngineOption,
    HomeOption,
    InputsOption,
    JsonOption,
    SelectionOption,
    ServingOption,
    TrackOption,
)


@dataclass(frozen=True, kw_only=True)
class GridOptions:
    """What is combined; each value may be a list, and names may be patterns."""

    grid: Annotated[
        Path | None,
        typer.Option(
            "--grid",
            rich_help_panel=WHAT,
            envvar="SLUBENCH_GRID",
            metavar="FILE",
            help="A grid in a TOML file; options on the command line go before its values.",
        ),
    ] = None
    task: Annotated[
        str | None,
        typer.Option(
            "--task",
            rich_help_panel=WHAT,
            envvar="SLUBENCH_TASK",
            metavar="NAME,...",
            help="Tasks: names or patterns such as 'massive-*'.",
        ),
    ] = None
    strategy: Annotated[
        str | None,
        typer.Option(
            "--strategy",
            rich_help_panel=WHAT,
            envvar="SLUBENCH_STRATEGY",
            metavar="NAME|FILE,...",
            help="Strategies: names, files or patterns.",
        ),
    ] = None
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            rich_help_panel=WHAT,
            envvar="SLUBENCH_MODEL",
            metavar="NAME|DIR,...",
            help="Models: names, checkpoints' folders or patterns. Default: the edition's model.",
        ),
    ] = None
    speech: Annotated[
        str | None,
        typer.Option(
            "--speech",
            rich_help_panel=WHAT,
            envvar="SLUBENCH_SPEECH",
            metavar="5%,20min,...",
            help="Speech budgets, see `slubench run --help`. Default: 5%.",
        ),
    ] = None
    target: Annotated[
        str | None,
        typer.Option(
            "--target",
            rich_help_panel=WHAT,
            envvar="SLUBENCH_TARGET",
            metavar="none,text,...",
            help="Conditions on target data of cross-lingual tasks. Default: none.",
        ),
    ] = None
    seeds: Annotated[
        str | None,
        typer.Option(
            "--seeds",
            rich_help_panel=WHAT,
            envvar="SLUBENCH_SEEDS",
            metavar="0-4,7",
            help="Seeds and ranges of seeds, each for clips and training. Default: 0.",
        ),
    ] = None


@dataclass(frozen=True, kw_only=True)
class SweepOptions:
    """How the runs are made, and where results are kept."""

    edition: EditionOption = "auto"
    engine: EngineOption = "auto"
    serving: ServingOption = "auto"
    track: TrackOption = "lora-lm"
    selection: SelectionOption = "last"
    inputs: InputsOption = "speech,text"
    ask: AskOption = None
    home: HomeOption = None
    corpora: CorporaOption = None
    price: Annotated[
        float | None,
        typer.Option(
            "--price",
            rich_help_panel=MACHINES,
            envvar="SLUBENCH_PRICE",
            min=0,
            help="What an hour of a GPU costs, in any currency.",
        ),
    ] = None
    jobs: Annotated[
        int | None,
        typer.Option(
            "--jobs",
            rich_help_panel=MACHINES,
            envvar="SLUBENCH_JOBS",
            min=1,
            help="Runs at a time. Default: one on each GPU; on a CPU one with all cores.",
        ),
    ] = None
    as_json: JsonOption = False


@dataclass(frozen=True, kw_only=True)
class PlaceOptions:
    """Where the runs are made."""

    on: Annotated[
        str,
        typer.Option(
            "--on",
            rich_help_panel=MACHINES,
            envvar="SLUBENCH_ON",
            metavar="local|ray[://ADDRESS]|slurm",
            help="local: the GPUs of this machine. ray and slurm: a cluster (docs/clusters.md).",
        ),
    ] = "local"
    checkpoints: Annotated[
        str,
        typer.Option(
            "--checkpoints",
            rich_help_panel=MACHINES,
            envvar="SLUBENCH_CHECKPOINTS",
            metavar="URI",
            help="Folder or fsspec URI (s3://...) that all machines reach; trainings resume from it.",
        ),
    ] = ""
    memory: Annotated[
        str,
        typer.Option(
            "--memory",
            rich_help_panel=MACHINES,
            envvar="SLUBENCH_MEMORY",
            metavar="64GB",
            help="Memory of a run on a cluster.",
        ),
    ] = ""
    cpus: Annotated[
        int | None,
        typer.Option(
            "--cpus",
            rich_help_panel=MACHINES,
            envvar="SLUBENCH_CPUS",
            min=1,
            help="CPU cores of a run on a cluster.",
        ),
    ] = None
    partition: Annotated[
        str,
        typer.Option(
            "--partition", rich_help_panel=MACHINES, envvar="SLUBENCH_PARTITION", help="SLURM partition."
        ),
    ] = ""
    account: Annotated[
        str,
        typer.Option("--account", rich_help_panel=MACHINES, envvar="SLUBENCH_ACCOUNT", help="SLURM account."),
    ] = ""
    time: Annotated[
        str,
        typer.Option(
            "--time",
            rich_help_panel=MACHINES,
            envvar="SLUBENCH_TIME",
            metavar="H:MM:SS",
            help="Time limit of a SLURM job.",
        ),
    ] = ""
    requeue: Annotated[
        bool,
        typer.Option(
            "--requeue/--no-requeue",
            rich_help_panel=MACHINES,
            envvar="SLUBENCH_REQUEUE",
            help="Whether SLURM queues a preempted job again; it resumes from its last checkpoint.",
        ),
    ] = True
    container: Annotated[
        str,
        typer.Option(
            "--container",
            rich_help_panel=MACHINES,
            envvar="SLUBENCH_CONTAINER",
            metavar="IMAGE|COMMAND",
            help="Image (.sif) for Apptainer, or the command that starts Python inside a container on SLURM.",
        ),
    ] = ""
