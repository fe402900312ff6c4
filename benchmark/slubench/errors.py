"""Errors that users can fix, each kind with its exit code."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def shown_path(path: str) -> str:
    """A path made safe for a message, since file names may contain anything."""
    return path if path.isascii() and path.isprintable() and len(path) <= 200 else shown(path, 200)


def shown(value: object, most: int = 80) -> str:
    """An untrusted value made safe for a message: quoted, in ASCII, at most `most` characters."""
    text = ascii(value[: 2 * most]) if isinstance(value, str) else ascii(value)
    return text if len(text) <= most else text[: most - 3] + "..."


class SlubenchError(Exception):
    """An error that the user can fix; the message says what was found, what was expected and what to do."""

    exit_code = 1


class UsageError(SlubenchError):
    """A wrong option, name or value."""

    exit_code = 2


class VerificationError(SlubenchError):
    """A requested check failed."""

    exit_code = 3


class DeclarationError(SlubenchError):
    """A task, strategy or model has a wrong declaration, or its file cannot be imported."""

    exit_code = 2


class DataError(SlubenchError):
    """A row, file or corpus does not follow its format."""


class MissingError(SlubenchError):
    """A corpus, weights, a device or a library is missing."""


def unknown(kind: str, name: str, known: Iterable[str], hint: str = "") -> UsageError:
    """An error for an unknown name, with the closest known ones.

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
