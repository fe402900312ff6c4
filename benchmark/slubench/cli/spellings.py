"""Values of options by their present names; those of the version before still work, with a line on stderr."""

from __future__ import annotations

import os

from slubench.cli.options import INPUTS, say
from slubench.domain.selection import RENAMED
from slubench.errors import UsageError, unknown


def inputs_of(inputs: str, ask: str | None) -> tuple[str, ...]:
    """The inputs to predict from, by the names in which they are stored.

    Args:
        inputs: The value of `--inputs`.
        ask: The value of `--ask`, its name until 0.2, if that was given.

    Raises:
        UsageError: An input is not known, or speech or text is left out.
    """
    if ask is not None:
        option = "SLUBENCH_ASK is" if os.environ.get("SLUBENCH_ASK") == ask else "--ask is"
        inputs = ask
        say(f"{option} now --inputs: use --inputs {','.join(map(_present, ask.split(',')))}")
    elif any(name != _present(name) for name in inputs.split(",")):
        say(f"own-transcript is now asr: use --inputs {','.join(map(_present, inputs.split(',')))}")
    named = [_present(name) for name in inputs.split(",")]
    for name in named:
        if name not in INPUTS:
            raise unknown("input", name, INPUTS)
    if not {"speech", "text"} <= set(named):
        raise UsageError(f"--inputs {inputs}: speech and text are always evaluated; the tables need both.")
    return tuple(stored for name, stored in INPUTS.items() if name in named)


def selection_of(name: str) -> str:
    """The present name of a selection."""
    if name in RENAMED:
        say(f"{name} is now {RENAMED[name]}: use --selection {RENAMED[name]}")
    return RENAMED.get(name, name)


def _present(name: str) -> str:
    return "asr" if name == "own-transcript" else name
