"""Files that stand for a run or a strategy on the command line of `slubench compare`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from slubench.errors import MissingError, UsageError

if TYPE_CHECKING:
    from slubench.registry import Registry

SCORE_FILE: Final = ".parquet"
CARD: Final = ".json"
PYTHON: Final = ".py"
KINDS: Final = {
    SCORE_FILE: "a run's scores",
    CARD: "an adapter's card",
    PYTHON: "a strategy's file",
}


def is_file_of(name: str, ending: str) -> bool:
    """Whether an argument names a file of that ending that is there."""
    return name.endswith(ending) and Path(name).is_file()


def named_by(name: str, registry: Registry) -> str:
    """What an argument stands for: itself, or the fingerprint or strategy that the file tells.

    Raises:
        MissingError: The file is not there.
        UsageError: It is a file of another kind.
        DataError: It cannot be read.
        DeclarationError: It declares no strategy.
    """
    from slubench.pipeline.rescore import read_identity
    from slubench.registry.adapters import Adapter

    path = Path(name)
    if not path.is_file():
        if path.suffix in KINDS and ("/" in name or path.suffix == PYTHON):
            raise MissingError(f"{name} does not exist.")
        return name
    if path.suffix == SCORE_FILE:
        return str(read_identity(path)["scores_fingerprint"])
    if path.suffix == CARD:
        return Adapter.load(path).fingerprint
    if path.suffix == PYTHON:
        return registry.strategy(name).name
    known = ", ".join(f"{what} ({ending})" for ending, what in KINDS.items())
    raise UsageError(
        f"{name} is a file that compare does not read. It takes {known}; score predictions first with"
        " slubench score FILE --task NAME."
    )
