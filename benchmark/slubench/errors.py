"""What a user can get wrong, each kind with the exit code the command line gives it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def shown_path(path: str) -> str:
    """A path as a message may hold it: names on a disk may be anything."""
    return path if path.isascii() and path.isprintable() and len(path) <= 200 else shown(path, 200)


def shown(value: object, most: int = 80) -> str:
    """A value of a stranger's as a message may hold it: quoted, in ASCII, not longer than `most`."""
    text = ascii(value[: 2 * most]) if isinstance(value, str) else ascii(value)
    return text if len(text) <= most else text[: most - 3] + "..."


class SlubenchError(Exception):
    """Something a user can mend; the message says what was found, expected, and what to do."""

    exit_code = 1


class UsageError(SlubenchError):
    """A wrong option, name or value."""

    exit_code = 2


class VerificationError(SlubenchError):
    """A check that was asked for did not hold."""

    exit_code = 3


class DeclarationError(SlubenchError):
    """A task, strategy or model is declared wrongly, or its file does not import."""

    exit_code = 2


class DataError(SlubenchError):
    """A row, file or corpus is not as its format says."""


class MissingError(SlubenchError):
    """A corpus, weights, a device or a library is not there."""


def unknown(kind: str, name: str, known: Iterable[str], hint: str = "") -> UsageError:
    """An error for a name that nothing bears, with the nearest that something does.

    Args:
        kind: What was looked for, as in "task".
        name: The name that was given.
        known: The names there are.
        hint: A closing sentence, such as how to list them.
    """
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    guess = f" Did you mean {' or '.join(near)}?" if near else ""
    listing = "" if near or not names or len(names) > 12 else f" Available: {', '.join(names)}."
    shown = name if len(name) <= 80 else name[:77] + "..."
    return UsageError(f"There is no {kind} {shown!r}.{guess}{listing}{' ' + hint if hint else ''}")
