"""Expands the values of a grid: lists, ranges of seeds, and patterns such as `massive-*`."""

from __future__ import annotations

import glob
import re
from collections.abc import Callable, Iterable
from fnmatch import fnmatchcase
from pathlib import Path

from slubench.errors import UsageError, unknown

MOST_SEED = 2**31 - 1
"""The largest seed: score files store seeds in 32-bit columns."""
MOST_SEEDS = 10_000
"""As many seeds does a range give at most; a longer one is a slip."""
_WILD = re.compile(r"[*?\[]")


def listed(option: str, text: str) -> list[str]:
    """The values of a list separated by commas or blanks, each once.

    Args:
        option: As in `--task`, for the message.
        text: As in `massive-de, massive-fr` or `0 5% 20 min`.

    Raises:
        UsageError: It holds no value.
    """
    # `5 %`, `20 min` and `5% + stratified` are one value each.
    joined = re.sub(r"\s+(?=%|min\b)|\s*\+\s*", lambda found: "+" if "+" in found[0] else "", text)
    return _some(option, text, re.split(r"[,\s]+", joined))


def listed_files(option: str, text: str) -> list[str]:
    """The same for names or files; a file's name may hold blanks, so that commas separate it.

    Raises:
        UsageError: It holds no value.
    """
    found: list[str] = []
    for part in (part.strip() for part in text.split(",")):
        found += [part] if ".py" in part and len(re.findall(r"\.py\b", part)) == 1 else part.split()
    return _some(option, text, found)


def _some(option: str, text: str, values: Iterable[str]) -> list[str]:
    found = list(dict.fromkeys(value for value in values if value))
    if not found:
        raise UsageError(f"{option} {text!r}: expected at least one value.")
    return found


def seeds_in(text: str) -> list[int]:
    """The seeds of a list with ranges, as in `0-4` or `0,1,7-9`, each once.

    Raises:
        UsageError: Something else stands in it, or a seed is out of range.
    """
    found: dict[int, None] = {}
    for part in re.sub(r"(?<=\d)\s*-\s*(?=\d)", "-", text).replace(",", " ").split():
        span = re.fullmatch(r"(\d+)-(\d+)", part)
        try:
            first, last = (int(span[1]), int(span[2])) if span else (int(part),) * 2
        except ValueError:
            raise UsageError(f"--seeds {text!r}: expected whole numbers, as in 0,1,2 or 0-4.") from None
        for number in (first, last):
            if not 0 <= number <= MOST_SEED:
                raise UsageError(f"--seeds {text!r}: {number} is not in the range 0 to {MOST_SEED:,}.")
        if last < first:
            raise UsageError(f"--seeds {text!r}: the range {part} is empty; did you mean {last}-{first}?")
        if last - first >= MOST_SEEDS:
            raise UsageError(f"--seeds {text!r}: the range {part} has more than {MOST_SEEDS:,} seeds.")
        found |= dict.fromkeys(range(first, last + 1))
    if not found:
        raise UsageError(f"--seeds {text!r}: expected whole numbers, as in 0,1,2 or 0-4.")
    return list(found)


def is_pattern(name: str) -> bool:
    """Whether a name is a pattern, and not that of an existing file."""
    return bool(_WILD.search(name)) and not Path(name).is_file()


def matching(
    kind: str, names: Iterable[str], known: Iterable[str], wanted: Callable[[str], bool] = lambda name: True
) -> list[str]:
    """Names with patterns replaced by what they match, in the order in which it is known, each once.

    Args:
        kind: As in "task", for the message.
        names: Names, files and patterns; a pattern with a slash or `.py` is one of files.
        known: The names there are.
        wanted: Whether a matched name is taken; one that is given in full always is.

    Raises:
        UsageError: A pattern matches nothing.
    """
    there, found = list(known), dict[str, None]()
    for name in names:
        if not is_pattern(name):
            found[name] = None
            continue
        if "/" in name or name.endswith(".py"):
            hits = sorted(path for path in glob.glob(name, recursive=True) if path.endswith(".py"))
        else:
            hits = [one for one in there if fnmatchcase(one, name) and wanted(one)]
        if not hits:
            raise unknown(f"{kind} that matches", name, filter(wanted, there))
        found |= dict.fromkeys(hits)
    return list(found)
