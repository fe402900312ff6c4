"""What a sandbox left: files that are taken from it are as they were told to be, and there are no others."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from slubench.errors import VerificationError, shown
from slubench.runtime.limits import LimitError, Limits, look_over
from slubench.submission.bundle.untrusted_files import opened


def check_sealed(sealed: Mapping[str, str], paths: Iterable[Path], step: str) -> None:
    """See that files are as they were when they were told to be finished.

    Args:
        sealed: SHA-256 by path, as they were told.
        paths: The files that are taken.
        step: What made them, for messages.

    Raises:
        VerificationError: One is not.
    """
    if not sealed:
        raise VerificationError(f"The {step} ended before it had finished; it must not end the process.")
    for path in paths:
        with opened(path, path.name) as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if sealed.get(str(path)) != digest:
            raise VerificationError(f"{shown(path.name)} was changed after the {step} had finished.")


def check_left(folder: Path, known: Sequence[Path], limits: Limits, step: str) -> None:
    """See that nothing lies in a folder but what belongs there, and no links, pipes or devices.

    Args:
        folder: What could be written.
        known: The files, and the folders with whatever files, that belong there.
        limits: How much may lie there.
        step: What was done there, for messages.

    Raises:
        VerificationError: Something else is there, or too much.
    """
    try:
        found = look_over([folder], limits)
    except LimitError as error:
        raise VerificationError(f"The {step} {error}.") from None
    others = [path for path in found.paths if not any(path.is_relative_to(one) for one in known)]
    for path in (*found.strange, *others):
        name = shown(str(path.relative_to(folder)))
        raise VerificationError(f"The {step} left {name} behind, which does not belong there.")
