"""Current names of option values; those of the previous version still work, with a note on stderr."""

from __future__ import annotations

import os

from slubench.cli.options import say
from slubench.domain.selection import RENAMED
from slubench.errors import UsageError, unknown


def inputs_of(inputs: str, ask: str | None) -> tuple[str, ...]:
    """The inputs to evaluate on, in storage order.

    Args:
        inputs: The value of `--inputs`.
        ask: The value of `--ask`, its name until 0.2, if that was given.

    Raises:
        UsageError: An input is not known, or speech or text is left out.
    """
    from slubench.scoring.predictions import EVERY_INPUT, INPUTS

    if ask is not None:
        by_variable = os.environ.get("SLUBENCH_ASK") == ask
        before, now = ("SLUBENCH_ASK", "SLUBENCH_INPUTS") if by_variable else ("--ask", "--inputs")
        inputs = ask
    elif "own-transcript" in inputs.split(","):
        before, now = "own-transcript", "asr"
    else:
        before, now = "", ""
    named = ["asr" if name == "own-transcript" else name for name in inputs.split(",")]
    if before:
        say(f"{before} is now {now}: use --inputs {','.join(named)}")
    for name in named:
        if name not in EVERY_INPUT:
            raise unknown("input", name, EVERY_INPUT)
    if not set(INPUTS) <= set(named):
        raise UsageError(f"--inputs {inputs}: speech and text are always evaluated; the tables need both.")
    return tuple(name for name in EVERY_INPUT if name in named)


def selection_of(name: str) -> str:
    """The current name of a selection."""
    if name in RENAMED:
        say(f"{name} is now {RENAMED[name]}: use --selection {RENAMED[name]}")
    return RENAMED.get(name, name)
