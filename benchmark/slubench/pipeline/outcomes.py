"""The outcomes of runs: their scores, or the errors of those that failed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from slubench.domain.run import Run
from slubench.errors import SlubenchError


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


class FailedRuns(SlubenchError):
    """Some runs failed.

    Attributes:
        outcomes: The runs that are scored.
        reasons: Why the others failed, by name.
    """

    def __init__(self, outcomes: Sequence[Outcome], failures: Sequence[tuple[str, SlubenchError]]) -> None:
        self.outcomes = tuple(outcomes)
        self.reasons = {name: str(error) for name, error in failures}
        reasons: dict[str, list[str]] = {}
        for name, error in failures:
            reasons.setdefault(str(error), []).append(name)
        listed = "\n".join(f"  {', '.join(names)}: {reason}" for reason, names in reasons.items())
        super().__init__(
            f"{len(failures)} of {len(failures) + len(outcomes)} runs failed, the others are scored:\n"
            f"{listed}\nRun the same command again to retry these; existing results are reused."
        )


@dataclass
class Failures:
    """The errors so far.

    Attributes:
        runs: How many runs there are; the error of a single run is raised as it is.
        say: Reports a failure in a line.
    """

    runs: int
    say: Callable[[str], None]
    _found: list[tuple[str, SlubenchError]] = field(default_factory=list)

    @contextmanager
    def of(self, name: str) -> Iterator[None]:
        """Record an error in the block as that of the named run."""
        try:
            yield
        except SlubenchError as error:
            if self.runs == 1:
                raise
            self.say(f"{name}: failed: {error}")
            self._found.append((name, error))

    def conclude(self, outcomes: Sequence[Outcome]) -> None:
        """Raise the recorded errors.

        Raises:
            FailedRuns: Something was.
        """
        if self._found:
            raise FailedRuns(outcomes, self._found)
