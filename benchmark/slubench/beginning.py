"""A strategy's file to start from."""

from __future__ import annotations

import re
from collections.abc import Collection
from importlib.resources import files
from pathlib import Path
from string import Template

from slubench.errors import UsageError
from slubench.files import write_text

SLUG = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
LONGEST = 64


def begin_strategy(name: str, folder: Path, known: Collection[str]) -> Path:
    """Write a working strategy of that name into a folder.

    Args:
        name: As in `my-idea`.
        folder: Where the file goes, as `my_idea.py`.
        known: Names that strategies have already.

    Returns:
        The file.

    Raises:
        UsageError: The name is none, is taken, or the file is there already.
    """
    if len(name) > LONGEST or not SLUG.fullmatch(name):
        raise UsageError(
            f"A strategy's name has at most {LONGEST} lower-case letters and digits, in words joined by"
            f" hyphens, a letter first, as in my-idea; not {name[:80]!r}."
        )
    if name in known:
        raise UsageError(
            f"There is a strategy {name!r} already; `slubench show {name}` prints it. Take another name."
        )
    path = folder / f"{name.replace('-', '_')}.py"
    if path.exists():
        raise UsageError(f"{path} is there already, and nothing is overwritten. Take another name, or --to.")
    template = Template(files("slubench").joinpath("new_strategy.txt").read_text("utf-8"))
    words = name.replace("-", " ")
    constant = name.replace("-", "_").upper()
    write_text(path, template.substitute(name=name, title=words.capitalize(), constant=constant))
    return path
