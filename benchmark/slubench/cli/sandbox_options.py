"""The limits of `slubench verify --retrain`, which the maintainer who runs it declares."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from slubench.submission.retrain.sandbox_folder import Allowance

MemoryOption = Annotated[
    float | None,
    typer.Option(
        "--sandbox-memory",
        metavar="GIB",
        help="Memory of the sandbox, files in its /tmp included. Default: three quarters of this machine's.",
    ),
]
ProcessesOption = Annotated[
    int,
    typer.Option(
        "--sandbox-processes",
        metavar="N",
        min=8,
        help="Processes and threads in the sandbox.",
    ),
]
DiskOption = Annotated[
    float,
    typer.Option(
        "--sandbox-disk",
        metavar="GIB",
        help="Size of the files that are written in the sandbox, by their length.",
    ),
]
FilesOption = Annotated[
    int,
    typer.Option(
        "--sandbox-files",
        metavar="N",
        min=1,
        help="Number of files and folders that are written in the sandbox.",
    ),
]
OutputOption = Annotated[
    float,
    typer.Option(
        "--sandbox-output",
        metavar="MIB",
        help="Size of what the sandbox prints.",
    ),
]
ComposeOption = Annotated[
    float,
    typer.Option(
        "--compose-minutes",
        metavar="MIN",
        help="Time for composing the training set.",
    ),
]
TrainOption = Annotated[
    float,
    typer.Option("--train-minutes", metavar="MIN", help="Time for training."),
]


def allowance(
    memory: float | None,
    processes: int,
    disk: float,
    files: int,
    output: float,
    composing: float,
    training: float,
) -> Allowance:
    """What the options grant.

    Raises:
        UsageError: An amount is not above 0.
    """
    from slubench.errors import UsageError
    from slubench.runtime.limits import GIBI, Limits
    from slubench.submission.retrain.sandbox_folder import Allowance

    amounts = {
        "--sandbox-memory": 1.0 if memory is None else memory,
        "--sandbox-disk": disk,
        "--sandbox-output": output,
        "--compose-minutes": composing,
        "--train-minutes": training,
    }
    for name, amount in amounts.items():
        if not 0 < amount < 1e6:
            raise UsageError(f"{name} {amount:g}: give a number above 0 and below 1,000,000.")
    limits = Limits(
        **({} if memory is None else {"memory": int(memory * GIBI)}),
        processes=processes,
        disk=int(disk * GIBI),
        files=files,
        output=int(output * 2**20),
    )
    return Allowance(limits, 60 * composing, 60 * training)
