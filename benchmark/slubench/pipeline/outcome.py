"""What came of a run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from slubench.domain.run import Run


@dataclass(frozen=True)
class Outcome:
    """The result of a run.

    Attributes:
        run: The run.
        scores: Its Parquet file of scores.
        cached: Whether the scores existed already.
        seconds: Wall-clock seconds that this command took for all its runs.
    """

    run: Run
    scores: Path
    cached: bool
    seconds: float
