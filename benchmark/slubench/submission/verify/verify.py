"""`slubench verify` from top to bottom: opens a bundle, rescores each run, then replays and retrains."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slubench.errors import SlubenchError, shown
from slubench.pipeline.context import Context
from slubench.runtime.home import Home
from slubench.submission.bundle.layout import SCORES, TIERS
from slubench.submission.bundle.open import open_bundle
from slubench.submission.problems import Problems
from slubench.submission.verify.case import Case, Proof
from slubench.submission.verify.rescore import rescore

UNFORESEEN = "it holds what nobody foresaw, and can't be verified"


@dataclass(frozen=True)
class Verification:
    """The result of verifying a bundle.

    Attributes:
        folder: The bundle.
        cases: Its runs.
        findings: All that does not hold; where there is any, no tier is granted.
    """

    folder: Path
    cases: Sequence[Case]
    findings: Problems

    @property
    def tier(self) -> str | None:
        """The lowest tier of its runs; None if there is any problem."""
        if self.findings or not self.cases:
            return None
        return min((case.tier for case in self.cases), key=TIERS.index)

    def to_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "bundle": str(self.folder),
            "tier": self.tier,
            "runs": [_told(case, bool(self.findings)) for case in self.cases],
            "findings": [vars(finding) for finding in self.findings.found],
        }


def verify(folder: Path, context: Context, scratch: Home, proofs: Sequence[Proof] = ()) -> Verification:
    """Verify a bundle; none of its Python is imported, and nothing but `scratch` is written.

    Args:
        folder: The bundle.
        context: Whose corpora and declarations it is held against.
        scratch: An empty home for what is made anew.
        proofs: Further tiers that are asked for, in order; each is taken while nothing is found.

    Raises:
        UsageError: There is no such folder.
        DataError: The corpus that is here is not whole.
    """
    findings = Problems()
    bundle = open_bundle(folder, findings)
    if bundle is None:
        return Verification(folder, (), findings)
    cases = [Case(bundle, entry, findings) for entry in bundle.entries]
    for case in cases:
        context.say(f"scoring {case.name} again")
        _rescored(case, context, scratch)
    _once(cases)
    for proof in proofs:
        if findings:
            break
        ready = [case for case in cases if TIERS.index(case.tier) >= TIERS.index(proof.needs)]
        for case in proof.prove(ready):
            case.tier = max(case.tier, proof.tier, key=TIERS.index)
            if not any(case is one for one in cases):
                cases.append(case)
    return Verification(folder, cases, findings)


def _rescored(case: Case, context: Context, scratch: Home) -> None:
    """Rescore a case; whatever its files do to the code that reads them is a finding."""
    try:
        rescore(case, context, scratch)
    except SlubenchError:
        raise
    except Exception as error:
        case.tier = "claimed"
        message = f"{UNFORESEEN} ({type(error).__name__}: {shown(str(error), 160)})"
        case.findings.add(case.entry.folder, f"{message}. If the bundle is honest, report it.")


def _once(cases: Sequence[Case]) -> None:
    """Check that each run occurs once, and that each strategy has one file."""
    runs: dict[str, str] = {}
    files: dict[str, str] = {}
    for case in cases:
        if case.claim is None:
            continue
        other = runs.setdefault(case.claim.row["scores_fingerprint"], case.name)
        if other != case.name:
            case.find(SCORES, f"the same run is in the bundle twice, also as {other}")
        file = files.setdefault(case.claim.row["strategy"], case.entry.strategy)
        if file != case.entry.strategy:
            case.findings.add(
                case.entry.strategy, f"{file} is another file of the same strategy; submit only one"
            )


def _told(case: Case, refused: bool) -> dict[str, Any]:
    row = case.claim.row if case.claim else {}
    names = ("run", "task", "strategy", "speech", "data_seed", "train_seed", "scores_fingerprint")
    told = {name: row.get(name) for name in names}
    return {"folder": case.entry.folder, **told, "tier": None if refused else case.tier, "notes": case.notes}
