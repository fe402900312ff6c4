"""The tier `retrained`: a cell of a bundle is retrained with a seed unknown to its authors."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slubench.domain.run import Run
from slubench.errors import UsageError, VerificationError, unknown
from slubench.pipeline.context import Context
from slubench.runtime.home import Home
from slubench.runtime.sandbox import SandboxError
from slubench.submission.bundle.layout import SCORES
from slubench.submission.retrain.interval import check_enough, compare
from slubench.submission.retrain.retrain import retrain
from slubench.submission.run_of_row import engine_for, run_of_row
from slubench.submission.verify.case import Case

SAME = ("strategy", "model", "track", "ruleset", "edition")
"""What all runs covered by one retrained cell have in common."""


@dataclass(frozen=True)
class Retrained:
    """How a cell is retrained.

    Attributes:
        cell: TASK/STRATEGY/SPEECH, and behind a further slash the condition on target data.
        seed: Of clips and training.
        context: Whose corpora and clips are used.
        scratch: An empty home for all that is made.
        engine: The inference engine; `auto` for the one that the rows name, where it is installed.
    """

    cell: str
    seed: int
    context: Context
    scratch: Home
    engine: str = "auto"

    def __call__(self, cases: Sequence[Case]) -> list[Case]:
        """The runs of the cell's strategy, where the score lies in the interval of one more seed.

        Raises:
            UsageError: The bundle has no such cell, too few seeds of it, or this very seed.
            MissingError: Sandbox, corpus, weights or engine are not here.
        """
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
        drawn[0].notes.append(told)
        return [case for case in cases if _setting(case) == _setting(drawn[0])]

    def _retrain(self, case: Case) -> Path:
        assert case.claim is not None
        engine = engine_for(case.claim.row, self.engine)
        context = dataclasses.replace(self.context, engine=engine)
        folder = self.scratch.root / "retraining"
        return retrain(self._run(case), case.claim.strategy_text, context, folder)

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
