"""The problems found by verification, each with file and row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from slubench.errors import VerificationError

SHOWN = 10
"""The number of problems of one file that are printed; JSON has more."""
MOST = 1_000
"""The number of problems of one file that are recorded."""


@dataclass(frozen=True)
class Problem:
    """One problem.

    Attributes:
        file: Path within the bundle; empty for the bundle itself.
        message: What was found, what was expected, and what to do.
        row: Row of the file, from 1; None for the file itself.
    """

    file: str
    message: str
    row: int | None = None

    def __str__(self) -> str:
        place = self.file or "the bundle"
        return f"{place}, row {self.row}: {self.message}" if self.row else f"{place}: {self.message}"


class Refusal(VerificationError):
    """Verification of a file stops because of a problem."""

    def __init__(self, finding: Problem) -> None:
        super().__init__(str(finding))
        self.finding = finding


@dataclass
class Problems:
    """Problems in order, each once."""

    found: list[Problem] = field(default_factory=list)
    _seen: set[Problem] = field(default_factory=set, repr=False)
    _count: Counter[str] = field(default_factory=Counter, repr=False)

    def add(self, file: str, message: str, row: int | None = None) -> None:
        """Add a problem."""
        finding = Problem(file, message, row)
        if finding in self._seen:
            return
        self._seen.add(finding)
        self._count[file] += 1
        if self._count[file] <= MOST:
            self.found.append(finding)
        elif self._count[file] == MOST + 1:
            self.found.append(Problem(file, f"more than {MOST:,} problems; the rest is not shown"))

    def take(self, findings: Iterable[Problem]) -> None:
        """Add several problems."""
        for one in findings:
            self.add(one.file, one.message, one.row)

    def __bool__(self) -> bool:
        return bool(self.found)

    def told(self) -> list[str]:
        """One line for each problem; for a file with very many, only the first ones and their number."""
        by_file: dict[str, list[Problem]] = {}
        for one in self.found:
            by_file.setdefault(one.file, []).append(one)
        lines = []
        for file, some in by_file.items():
            lines += [str(one) for one in some[:SHOWN]]
            if len(some) > SHOWN:
                lines.append(f"{file}: and {len(some) - SHOWN:,} more (see --json)")
        return lines
