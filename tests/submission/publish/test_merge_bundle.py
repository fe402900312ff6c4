"""A published leaderboard: what is verified is merged, marked with its tier; all else leaves it as it was."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from slubench.submission.context import Desk
from slubench.submission.publish.merge import merge

from slubench.board import read_scores
from slubench.board.runs import runs_of
from slubench.errors import UsageError
from slubench.runtime.home import Home
from slubench.submission.bundle.pack import submit
from slubench.submission.verify.case import Case, Proof
from slubench.submission.verify.verify import Verification, verify
from tests.command import slubench
from tests.submission.made_bundles import OWN, a_desk, change_rows, pretend, published, set_all, sign, the


@pytest.fixture
def desk(tmp_path: Path, mirror: Path, _clips: Path) -> Desk:
    """A desk in a checkout."""
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    (checkout / "pyproject.toml").write_text('[project]\nname = "slubench"\n', "utf-8")
    return a_desk(checkout, mirror)


def held(bundle: Path, desk: Desk, proof: str = "") -> Verification:
    """A verification, with a further proof that finds nothing."""
    proofs = [Proof(proof, "rescored", lambda cases: cases)] if proof else []
    scratch = desk.home.root.parent / f"scratch-{bundle.name}-{proof}"
    shutil.rmtree(scratch, ignore_errors=True)
    return verify(bundle, desk, Home(scratch), proofs)


def tiers(desk: Desk) -> dict[str, str]:
    paths = sorted((desk.home.root / "leaderboard" / "published").glob("*.parquet"))
    return {run.row["strategy"]: run.row["tier"] for run in runs_of(read_scores(paths).table)}


def test_what_is_verified_is_merged_and_rises(bundle: Path, desk: Desk) -> None:
    written = merge(held(bundle, desk), desk)
    assert tiers(desk) == dict.fromkeys(("curriculum", "short-first", "zero-shot"), "rescored")
    there = published(desk.home.root)
    assert {str(path.relative_to(desk.home.root)) for path in written} == there.keys()
    assert len(there) == 3 * 5
    for path in (desk.home.root / "leaderboard" / "published" / "sums").iterdir():
        assert set(pq.read_table(path).column("slice_by").to_pylist()) == {"all"}
    assert not any(str(desk.home.root.parent).encode() in content for content in there.values())
    assert merge(held(bundle, desk), desk) == []
    assert published(desk.home.root) == there
    merge(held(bundle, desk, "replayed"), desk)
    assert set(tiers(desk).values()) == {"replayed"}
    assert merge(held(bundle, desk), desk) == []
    assert set(tiers(desk).values()) == {"replayed"}


def test_scores_of_slices_are_made_by_who_verifies(one: Path, desk: Desk) -> None:
    """Of what a bundle brings nothing is copied but the card and the time."""
    merge(held(one, desk), desk)
    (path,) = (desk.home.root / "leaderboard" / "published").glob("*.parquet")
    (told,) = one.glob("runs/*/scores.parquet")
    ours, theirs = pq.read_table(path).to_pylist(), pq.read_table(told).to_pylist()
    assert [row | {"tier": "claimed"} for row in ours] == theirs


def test_what_does_not_hold_leaves_it_as_it_was(bundle: Path, desk: Desk, one: Path) -> None:
    merge(held(one, desk), desk)
    there = published(desk.home.root)
    change_rows(the(bundle, "zero-shot") / "scores.parquet", set_all(value=0.5))
    sign(bundle)
    assert merge(held(bundle, desk), desk) == []
    assert published(desk.home.root) == there


def test_a_published_row_is_never_replaced(one: Path, desk: Desk, tmp_path: Path, mirror: Path) -> None:
    merge(held(one, desk), desk)
    there = published(desk.home.root)
    other = a_desk(tmp_path / "other", mirror)
    pretend(other, "curriculum", wrong=0.8)
    submit(["curriculum"], tmp_path / "rival", other)
    verification = held(tmp_path / "rival", desk)
    assert verification.tier == "rescored"
    assert merge(verification, desk) == []
    assert "is published already with other scores" in verification.findings.told()[0]
    assert published(desk.home.root) == there


def test_a_published_strategy_keeps_its_name(bundle: Path, desk: Desk, tmp_path: Path, mirror: Path) -> None:
    merge(held(bundle, desk), desk)
    other = a_desk(tmp_path / "other", mirror)
    (tmp_path / "other" / "strategies").mkdir(parents=True)
    longest = OWN.replace("len(utterance.text)", "-len(utterance.text)")
    (tmp_path / "other" / "strategies" / "own.py").write_text(longest, "utf-8")
    pretend(other, "short-first")
    submit(["short-first"], tmp_path / "rival", other)
    verification = held(tmp_path / "rival", desk)
    assert merge(verification, desk) == []
    assert "is published from another file of short-first" in verification.findings.told()[0]


def test_only_a_checkout_is_merged_into(one: Path, mirror: Path, tmp_path: Path) -> None:
    elsewhere = a_desk(tmp_path / "elsewhere", mirror)
    with pytest.raises(UsageError, match="is no checkout"):
        merge(held(one, elsewhere), elsewhere)


def test_a_proof_that_finds_something_grants_nothing(one: Path, desk: Desk) -> None:
    def prove(cases: list[Case]) -> list[Case]:
        cases[0].find("replies.parquet", "it was made up", 1)
        return []

    scratch = Home(desk.home.root.parent / "scratch")
    verification = verify(one, desk, scratch, [Proof("replayed", "rescored", prove)])  # type: ignore[arg-type]
    assert verification.tier is None
    assert merge(verification, desk) == []
    assert published(desk.home.root) == {}


@pytest.mark.slow
def test_the_commands(scored_home: Path, desk: Desk, mirror: Path, tmp_path: Path) -> None:
    bundle, checkout = tmp_path / "handed-in", desk.home.root
    corpora = ("--corpora", mirror)
    slubench("submit", "massive-de/curriculum", "--to", bundle, "--home", scored_home, *corpora)
    ran = slubench("verify", bundle, "--home", checkout, *corpora, "--publish")
    assert ran.stdout.startswith("rescored")
    there = published(checkout)
    assert len(there) == 5
    claimed = slubench("verify", bundle, "--home", checkout, code=3, HF_HUB_OFFLINE="1")
    assert "rescored was asked for" in claimed.stderr
    told = json.loads(slubench("verify", bundle, "--home", checkout, "--tier", "claimed", "--json").stdout)
    assert told["tier"] == "claimed"
    change_rows(the(bundle, "curriculum") / "scores.parquet", set_all(strategy="<script>"))
    sign(bundle)
    ran = slubench("verify", bundle, "--home", checkout, *corpora, "--publish", "--json", code=3)
    told = json.loads(ran.stdout)
    assert told["tier"] is None
    assert told["published"] == []
    assert told["findings"][0]["row"] == 1
    assert "row 1: strategy is '<script>'" in ran.stderr
    assert published(checkout) == there


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--tier", "retraind"), "Did you mean rescored or replayed"),
        (("--tier", "replayed"), "--replay N"),
        (("--publish",), "is no checkout"),
    ],
)
def test_usage(options: tuple[str, ...], message: str, one: Path, tmp_path: Path) -> None:
    assert message in slubench("verify", one, "--home", tmp_path / "home", *options, code=2).stderr
