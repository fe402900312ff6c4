"""Environment variables that were set for another command break none: what means nothing here is ignored."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import typer

from slubench.errors import UsageError

SINGLE: Final = ("task", "strategy", "model", "speech", "target")
"""Options of which `sweep` takes several values, and other commands one."""


def from_environment(ctx: typer.Context, name: str) -> bool:
    """Whether a parameter's value comes from an environment variable, not from the command line."""
    source = ctx.get_parameter_source(name)
    return source is not None and source.name == "ENVIRONMENT"


def from_command_line(ctx: typer.Context, name: str) -> bool:
    """Whether a parameter's value was given on the command line."""
    source = ctx.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def settle(ctx: typer.Context, command: str) -> None:
    """Let what stands on the command line win over variables, and drop variables that mean nothing here.

    Args:
        ctx: The context of the command, with its values.
        command: Its name.

    Raises:
        UsageError: Several values are given where the command takes one.
    """
    values = ctx.params
    if "corpora" in values and from_environment(ctx, "corpora") and _has_own_corpus(values.get("edition")):
        values["corpora"] = None
    if from_environment(ctx, "seed"):
        for name in ("data_seed", "train_seed"):
            if name in values and not from_command_line(ctx, name):
                values[name] = values["seed"]
        values["seed"] = None
    if from_environment(ctx, "ask") and from_command_line(ctx, "inputs"):
        values["ask"] = None
    if values.get("gold") is not None and from_environment(ctx, "task"):
        values["task"] = None
    if command == "evaluate" and from_environment(ctx, "inputs"):
        values["inputs"] = "speech,text"  # ASR transcripts are for runs alone
    if command not in ("sweep", "plan"):
        _take_one(ctx, command)


def _has_own_corpus(edition: object) -> bool:
    from slubench.data.editions import choose

    try:
        return isinstance(edition, str) and choose(edition)[0].mirror is not None
    except UsageError:  # reported where the edition is chosen
        return False


def _take_one(ctx: typer.Context, command: str) -> None:
    for parameter in ctx.command.params:
        name = str(parameter.name)
        value: Any = ctx.params.get(name)
        if name not in SINGLE or parameter.param_type_name != "option" or not isinstance(value, str):
            continue
        if "," not in value or Path(value).exists():
            continue
        option = f"--{name}"
        if not from_environment(ctx, name):
            raise UsageError(
                f"{command} takes one {option}, not the list {value!r}."
                f" For every combination of several: slubench sweep {option} {value}"
            )
        variable = f"SLUBENCH_{name.upper()}"
        if command in ("run", "evaluate") or parameter.required:
            raise UsageError(
                f"{variable} is the list {value!r}, which only sweep takes. Give {command} one with {option},"
                f" or use slubench sweep."
            )
        ctx.params[name] = parameter.get_default(ctx)
