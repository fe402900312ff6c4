"""The tier `retrained`: a cell of a bundle is retrained with a seed unknown to its authors."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from slubench.domain.run import Run
from slubench.errors import UsageError, VerificationError, unknown
from slubench.pipeline.context import Context
from slubench.pipeline.plan import plan
from slubench.pipeline.rescore import read_identity
from slubench.registry.adapters import Adapter
from slubench.runtime.home import Home
from slubench.runtime.sandbox import SandboxError
from slubench.submission.bundle.layout import SCORES
from slubench.submission.bundle.open import BundleRun
from slubench.submission.retrain.interval import check_enough, compare
from slubench.submission.retrain.retrain import retrain
from slubench.submission.retrain.sandbox_folder import Allowance
from slubench.submission.run_of_row import engine_for, run_of_row
from slubench.submission.verify.case import Case

SAME = ("strategy", "model", "track", "ruleset", "edition")
"""What all runs of one retrained cell have in common."""


@dataclass
class OwnRun(Case):
    """The verifier's own run of a cell, beside those that were handed in."""


@dataclass(frozen=True)
class Retrained:
    """How a cell is retrained.

    Attributes:
        cell: TASK/STRATEGY/SPEECH, and behind a further slash the condition on target data.
        seed: Of clips and training.
        context: Whose corpora and clips are used.
        scratch: An empty home for all that is made.
        engine: The inference engine; `auto` for the one that the rows name, where it is installed.
        allowed: What the strategy's code may use.
    """

    cell: str
    seed: int
    context: Context
    scratch: Home
    engine: str = "auto"
    allowed: Allowance = field(default_factory=Allowance)

    def __call__(self, cases: Sequence[Case]) -> list[OwnRun]:
        """The run that was trained again, where its score lies in the interval of one more seed.

        What was handed in keeps its tier: what is ranked is the verifier's own run.

        Raises:
            UsageError: The bundle has no such cell, too few seeds of it, or this very seed.
            MissingError: Sandbox, corpus, weights or engine are not here.
        """
        cases = [case for case in cases if not isinstance(case, OwnRun)]
        drawn = [case for case in cases if name_of(_row(case)) == self.cell]
        if not drawn:
            raise unknown("rescored cell", self.cell, {name_of(_row(case)) for case in cases})
        seeds = {_row(case)[name] for case in drawn for name in ("data_seed", "train_seed")}
        if self.seed in seeds:
            raise UsageError(f"--seed {self.seed} occurs in the bundle; choose another one.")
        # Another model, track or ruleset may bear the same cell; its scores say nothing of this one.
        drawn = [case for case in drawn if _setting(case) == _setting(drawn[0])]
        check_enough(len(drawn))
        try:
            scores = self._retrain(drawn[0])
        except (SandboxError, VerificationError) as error:
            drawn[0].findings.add(drawn[0].entry.strategy, f"retraining {self.cell}: {error}")
            return []
        comparison = compare(scores, [case.scores for case in drawn if case.scores is not None])
        told = f"{self.cell} retrained with seed {self.seed}: {comparison}"
        if not comparison.holds:
            drawn[0].find(SCORES, told)
            return []
        return [self._own(drawn[0], scores, told)]

    def _own(self, case: Case, scores: Path, told: str) -> OwnRun:
        assert case.claim is not None
        row = read_identity(scores)
        (card,) = (self._folder / "outcome" / "adapters_registry").glob("*.json")
        claim = dataclasses.replace(case.claim, row=row, card=Adapter.load(card))
        entry = BundleRun(f"runs/{scores.stem}", case.entry.strategy)
        planned = plan(self._run(case), self._context(case))
        return OwnRun(case.bundle, entry, case.findings, [told], claim, planned, scores=scores)

    @property
    def _folder(self) -> Path:
        cell = hashlib.sha256(self.cell.encode()).hexdigest()[:8]
        return self.scratch.root / "retraining" / f"{self.seed}-{cell}"

    def _context(self, case: Case) -> Context:
        assert case.claim is not None
        return dataclasses.replace(self.context, engine=engine_for(case.claim.row, self.engine))

    def _retrain(self, case: Case) -> Path:
        assert case.claim is not None
        text = case.claim.strategy_text
        return retrain(self._run(case), text, self._context(case), self._folder, self.allowed)

    def _run(self, case: Case) -> Run:
        """The case's run at the drawn seed, its strategy read and not imported, its model as declared."""
        assert case.claim is not None
        assert case.planned is not None
        run = run_of_row(case.claim.row, case.claim.card, case.planned.run.strategy, self.context)
        model, weights = self.context.locate(run.model)
        return dataclasses.replace(
            run, model=model, weights=weights, data_seed=self.seed, train_seed=self.seed
        )


def name_of(row: Mapping[str, Any]) -> str:
    """The cell of a run, as `--retrain` names it."""
    parts = [row["task"], row["strategy"], row["speech"]]
    return "/".join(parts if row["target"] == "none" else [*parts, row["target"]])


def _setting(case: Case) -> tuple[object, ...]:
    return tuple(_row(case)[name] for name in SAME)


def _row(case: Case) -> Mapping[str, Any]:
    assert case.claim is not None
    return case.claim.row
