"""A run of a bundle during verification: its claims, problems and tier."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from slubench.pipeline.plan import Planned
from slubench.registry.adapters import Adapter
from slubench.scoring.predictions import Prediction
from slubench.submission.bundle.open import Bundle, BundleRun
from slubench.submission.problems import Problems


@dataclass(frozen=True, kw_only=True)
class Claim:
    """What a bundle says of a run, read and in form.

    Attributes:
        row: What identifies it, from its score rows.
        card: Its card.
        report: What its answering process measured.
        strategy_text: Its strategy's file, which is read and never imported.
        replies: Rows of `slubench.schemas.REPLIES`.
        train_set: A table of `slubench.schemas.EXAMPLE_IDS`.
        scores: A table of `slubench.schemas.SCORES`.
    """

    row: Mapping[str, Any]
    card: Adapter
    report: Mapping[str, Any]
    strategy_text: str
    replies: Sequence[Mapping[str, Any]]
    examples: Any = field(repr=False)
    scores: Any = field(repr=False)


@dataclass
class Case:
    """One run of a bundle.

    Attributes:
        bundle: The bundle.
        entry: The run in it.
        findings: What does not hold.
        notes: What a reader of the report should know.
        claim: What it says; None where that can't be read.
        planned: The run with its corpora and fingerprints, from its names; None where they are not here.
        answers: Its replies as they were parsed again, with the lengths of clips from the corpus.
        scores: The score file that was made of them; None where gold is not here.
        tier: The most that is proven.
    """

    bundle: Bundle
    entry: BundleRun
    findings: Problems
    notes: list[str] = field(default_factory=list)
    claim: Claim | None = None
    planned: Planned | None = None
    answers: Sequence[Prediction] = ()
    scores: Path | None = None
    tier: str = "claimed"

    @property
    def name(self) -> str:
        """For people."""
        return self.entry.folder.removeprefix("runs/")

    def find(self, file: str, message: str, row: int | None = None) -> None:
        """Add a problem in one of the run's files."""
        self.findings.add(self.entry.file(file), message, row)


@dataclass(frozen=True)
class Proof:
    """A further tier, and how it is reached.

    Attributes:
        tier: Its name, as in `replayed`.
        needs: The tier that must be reached before; a higher one will do.
        prove: Looks at the cases that have reached it, adds findings to them, and gives those that are
            proven, among them any that it made itself; the others keep their tier.
    """

    tier: str
    needs: str
    prove: Callable[[Sequence[Case]], Sequence[Case]]
