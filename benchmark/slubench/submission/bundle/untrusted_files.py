"""Reads untrusted regular files with limits, without following symbolic links."""

from __future__ import annotations

import hashlib
import math
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import Any

from slubench.domain.strict_json import read_strictly
from slubench.errors import shown
from slubench.submission.bundle.layout import DEEPEST_JSON, MEBI, MOST_VALUES, kind_of
from slubench.submission.problems import Problem, Refusal

_LONGEST = 10_000


@contextmanager
def opened(path: Path, told: str) -> Iterator[BufferedReader]:
    """Open a regular file for reading.

    Args:
        path: The file.
        told: Its name in messages.

    Raises:
        Refusal: It is a symbolic link, a device, a pipe or a folder, or can't be opened.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "no file may be called so"
        raise Refusal(Problem(told, f"it cannot be opened as a regular file ({why})")) from None
    with os.fdopen(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise Refusal(Problem(told, "it is not a regular file"))
        yield file


def digest_plain(folder: Path, path: str) -> str:
    """The SHA-256 of a regular file within its size limit.

    Raises:
        Refusal: It is not such a file.
    """
    most = _most(path)
    with opened(folder / path, path) as file:
        state = os.fstat(file.fileno())
        if state.st_size > most:
            raise Refusal(Problem(path, f"it has {state.st_size:,} bytes; the maximum is {most:,}"))
        if state.st_size > 16 * MEBI and 10 * 512 * state.st_blocks < state.st_size:
            message = f"it claims {state.st_size:,} bytes and has {512 * state.st_blocks:,}: a sparse file"
            raise Refusal(Problem(path, message))
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_plain(folder: Path, path: str) -> bytes:
    """The content of a regular file within its size limit.

    Raises:
        Refusal: It is not such a file.
    """
    most = _most(path)
    with opened(folder / path, path) as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise Refusal(Problem(path, f"it exceeds the maximum of {most:,} bytes for this file"))
    return content


def parse_object(content: bytes, path: str) -> dict[str, Any]:
    """A JSON object of strings and numbers that a file can hold.

    How many values it has and how deep they are nested is counted before any of them is made.

    Raises:
        Refusal: It is none, or holds a number or text of an insane size.
    """
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Refusal(Problem(path, f"it is not valid JSON in UTF-8 (byte {error.start + 1:,})")) from None
    if fault := _shape_fault(text):
        raise Refusal(Problem(path, fault))
    try:
        value = read_strictly(text)
    except (ValueError, RecursionError) as error:
        raise Refusal(Problem(path, f"it is not valid JSON: {shown(str(error), 160)}")) from None
    if not isinstance(value, dict):
        raise Refusal(Problem(path, "it is not a JSON object"))
    if fault := _fault(value):
        raise Refusal(Problem(path, fault))
    return value


_STRING = re.compile(r'"(?:[^"\\]|\\.)*+"', re.DOTALL)
_BRACKET = re.compile(r"[\[\]{}]")


def _shape_fault(text: str) -> str:
    """What is too much or too deep, told by brackets and commas outside of strings."""
    bare = _STRING.sub("0", text)
    if sum(map(bare.count, ",:[{")) > MOST_VALUES:
        return f"it contains more than {MOST_VALUES:,} values"
    depth = 0
    for match in _BRACKET.finditer(bare):
        depth += 1 if match[0] in "[{" else -1
        if depth > DEEPEST_JSON:
            return f"its values are nested more than {DEEPEST_JSON} levels deep"
    return ""


def _fault(value: object) -> str:
    """The first sign of a malicious file."""
    left = [value]
    while left:
        one = left.pop()
        if isinstance(one, dict):
            left += [*one.keys(), *one.values()]
        elif isinstance(one, list):
            left += one
        elif isinstance(one, str) and len(one) > _LONGEST:
            return f"it contains a text of {len(one):,} characters, {shown(one)}"
        elif isinstance(one, str) and not one.isprintable():
            return f"it contains the text {shown(one)}, with a character that can't be printed"
        elif isinstance(one, float) and not math.isfinite(one):
            return "it contains a number that is not finite"
        elif isinstance(one, int) and abs(one) > 2**63:
            return "it contains a number of more than 63 bits"
    return ""


def _most(path: str) -> int:
    kind = kind_of(path)
    return kind.most if kind else 0
