"""What a retraining lifts: the verifier's own run. Its scores are on the row, the page and in the ranking."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from slubench.board.panels import panels_of
from slubench.board.read.replicates import read_replicates
from slubench.board.read.scores import read_scores
from slubench.board.runs import ScoredRun, runs_of
from slubench.domain.run import Run
from slubench.pipeline.context import Context
from slubench.runtime.home import Home
from slubench.runtime.sandbox import SandboxError
from slubench.submission.bundle.pack import submit
from slubench.submission.publish.merge_bundle import merge
from slubench.submission.retrain import proof as module
from slubench.submission.retrain.proof import Retrained
from slubench.submission.verify.case import Proof
from slubench.submission.verify.verify import Verification, verify
from tests.submission.made_bundles import a_context, pretend

CELL = "massive-de/curriculum/50%"


@pytest.fixture(scope="module")
def claims(tmp_path_factory: pytest.TempPathFactory, mirror: Path) -> Path:
    """Five seeds of curriculum, most replies right, and three of text-only."""
    context = a_context(tmp_path_factory.mktemp("maker"), mirror)
    for seed in range(5):
        pretend(context, "curriculum", seed=seed, wrong=0.0)
    for seed in range(3):
        pretend(context, "text-only", speech="0", seed=seed, wrong=0.0)
    out = tmp_path_factory.mktemp("bundle") / "bundle"
    submit(["massive-de/curriculum", "massive-de/text-only"], out, context)
    return out


@pytest.fixture
def checkout(tmp_path: Path, mirror: Path) -> Context:
    """A context in a checkout."""
    folder = tmp_path / "checkout"
    folder.mkdir()
    (folder / "pyproject.toml").write_text('[project]\nname = "slubench"\n', "utf-8")
    return a_context(folder, mirror)


def held(
    bundle: Path,
    context: Context,
    mirror: Path,
    monkeypatch: pytest.MonkeyPatch,
    wrong: float,
    seeds: tuple[int, ...] = (11,),
) -> Verification:
    """A verification whose retraining gives replies of which so many are wrong."""

    def retrained(run: Run, text: str, context: Context, folder: Path, allowed: Any) -> Path:
        outcome = a_context(folder / "outcome", mirror)
        return pretend(outcome, run.strategy.name, seed=run.train_seed, wrong=wrong)

    monkeypatch.setattr(module, "retrain", retrained)
    scratch = Home(context.home.root.parent / "scratch")
    proofs = [Proof("retrained", "rescored", Retrained(CELL, seed, context, scratch)) for seed in seeds]
    return verify(bundle, context, scratch, proofs)


def on_board(context: Context) -> list[ScoredRun]:
    paths = sorted((context.home.root / "leaderboard" / "published").glob("*.parquet"))
    return runs_of(read_scores(paths).table)


def test_the_verifiers_own_scores_are_on_the_row_and_are_what_is_ranked(
    claims: Path, checkout: Context, mirror: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "compare", lambda *paths: _Holds())
    verification = held(claims, checkout, mirror, monkeypatch, wrong=0.5)
    assert not verification.findings
    assert [case.tier for case in verification.cases] == ["rescored"] * 8 + ["retrained"]
    merge(verification, checkout)
    runs = on_board(checkout)
    lifted = [run for run in runs if run.row["tier"] == "retrained"]
    assert [(run.row["strategy"], run.seeds) for run in lifted] == [("curriculum", (11, 11))]
    (own,) = lifted
    value = next(found.value for measure, found in own.measures.items() if measure.metric == "slu_f1")
    assert value < 0.9
    assert {run.row["tier"] for run in runs if run.seeds != (11, 11)} == {"rescored"}
    (card,) = (checkout.home.root / "adapters_registry" / "published").glob("*d11t11*.json")
    assert json.loads(card.read_text("utf-8"))["fingerprint"] == own.row["train_fingerprint"]
    assert str(checkout.home.root.parent) not in card.read_text("utf-8")
    paths = sorted((checkout.home.root / "leaderboard" / "published").glob("*.parquet"))
    (panel,) = panels_of(runs, read_replicates(paths))
    cells = {cell.tier: cell for cell in panel.cells if cell.strategy == "curriculum"}
    shown = {
        tier: next(one.value for measure, one in cell.measures.items() if measure.metric == "slu_f1")
        for tier, cell in cells.items()
    }
    assert shown["retrained"] == pytest.approx(value)
    assert shown["rescored"] == pytest.approx(1.0)


class _Holds:
    holds = True

    def __str__(self) -> str:
        return "as it should be"


def test_several_seeds_may_be_trained_and_none_is_held_against_another(
    claims: Path, checkout: Context, mirror: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared = []

    def compare(own: Path, others: list[Path]) -> _Holds:
        compared.append((own, others))
        return _Holds()

    monkeypatch.setattr(module, "compare", compare)
    verification = held(claims, checkout, mirror, monkeypatch, 0.2, (11, 12))
    assert [len(others) for _, others in compared] == [5, 5]
    own = [case for case in verification.cases if case.tier == "retrained"]
    assert [case.claim.row["train_seed"] for case in own if case.claim is not None] == [11, 12]
    told = verification.to_json()["runs"]
    assert [run["train_seed"] for run in told if run["tier"] == "retrained"] == [11, 12]


def test_a_claim_that_is_not_reproduced_lifts_nothing(
    claims: Path, checkout: Context, mirror: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    verification = held(claims, checkout, mirror, monkeypatch, wrong=1.0)
    assert "retrained with seed 11: SLU-F1 0.0, outside [" in verification.findings.told()[0]
    assert verification.tier is None
    assert len(verification.cases) == 8
    assert merge(verification, checkout) == []


def test_a_sandbox_that_was_ended_is_a_finding_of_the_strategys_file(
    claims: Path, checkout: Context, mirror: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ended(*given: Any) -> Path:
        raise SandboxError("In the sandbox python printed more than 1 MiB.")

    monkeypatch.setattr(module, "retrain", ended)
    scratch = Home(checkout.home.root.parent / "scratch")
    proof = Proof("retrained", "rescored", Retrained(CELL, 11, checkout, scratch))
    verification = verify(claims, checkout, scratch, [proof])
    (finding,) = verification.findings.found
    assert finding.file.startswith("strategies/curriculum")
    assert finding.message == f"retraining {CELL}: In the sandbox python printed more than 1 MiB."
    assert verification.tier is None
