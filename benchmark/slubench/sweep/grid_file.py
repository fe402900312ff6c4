"""A grid in a TOML file, such as one kept with a paper."""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from slubench.errors import DataError, MissingError, UsageError, unknown
from slubench.runtime.files import write_text
from slubench.sweep.expand import listed, listed_files

LISTS = ("task", "strategy", "model", "speech", "target", "seeds")
"""Keys whose values may be lists; each is an option of `slubench sweep`."""
SINGLE = ("edition", "track", "selection", "inputs")
"""Keys with one value."""
_NUMBERS = ("speech", "seeds")


def read_grid(path: Path) -> dict[str, str]:
    """The values of a grid file, each as its option is written on the command line.

    Strategies that are files are looked for beside the grid.

    Raises:
        MissingError: There is no such file.
        DataError: It is not TOML, or a value has the wrong type.
        UsageError: A key is not known.
    """
    try:
        content = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise MissingError(f"--grid {path} cannot be read ({error.strerror}).") from None
    except ValueError as error:
        raise DataError(f"{path} is not valid TOML ({error}).") from None
    found = {}
    for key, value in content.items():
        if key not in (*LISTS, *SINGLE):
            raise unknown(f"key of a grid ({path}),", key, (*LISTS, *SINGLE))
        found[key] = _text(path, key, value)
    if "strategy" in found:
        names = listed_files("strategy", found["strategy"])
        found["strategy"] = ",".join(_beside(path.parent, name) for name in names)
    return found


def _text(path: Path, key: str, value: Any) -> str:
    several = value if isinstance(value, list) and key in LISTS else [value]
    kinds = (str, int) if key in _NUMBERS else (str,)
    for one in several:
        if not isinstance(one, kinds) or isinstance(one, bool):
            what = "text or whole numbers" if key in _NUMBERS else "text"
            many = f"{what}, or a list of it" if key in LISTS else what
            raise DataError(f"{path}: {key} = {value!r}: expected {many}.")
    if not several or not all(str(one).strip() for one in several):
        raise DataError(f"{path}: {key} is empty. Give a value, or remove the line.")
    return ",".join(map(str, several))


def _beside(folder: Path, name: str) -> str:
    """A strategy's file as it is found from the working folder; names stay as they are."""
    if not name.endswith(".py"):
        return name
    place = Path(name).expanduser()
    return str(place if place.is_absolute() else folder / place)


def write_grid(path: Path, values: Mapping[str, str]) -> None:
    """Write a grid file.

    Args:
        path: Where; a file that is there is kept.
        values: By key, each as its option is written on the command line; empty ones are left out.

    Raises:
        UsageError: The file exists.
    """
    if path.exists():
        raise UsageError(f"--write {path}: the file exists. Choose another name, or delete it.")
    lines = [f"# Run it with: slubench sweep --grid {path.name}", ""]
    for key in (*LISTS, *SINGLE):
        text = values.get(key, "")
        if not text:
            continue
        if key in SINGLE or key == "seeds":
            lines.append(f"{key} = {_quoted(text)}")
            continue
        names = listed_files(f"--{key}", text) if key == "strategy" else listed(f"--{key}", text)
        shown = (_seen_from(path.parent, name) if key == "strategy" else name for name in names)
        lines.append(f"{key} = [{', '.join(map(_quoted, shown))}]")
    write_text(path, "\n".join(lines) + "\n")


def _seen_from(folder: Path, name: str) -> str:
    return os.path.relpath(Path(name).expanduser(), folder) if name.endswith(".py") else name


def _quoted(text: str) -> str:
    # A JSON string without escaped characters beyond ASCII is a string of TOML.
    return json.dumps(text, ensure_ascii=False)
