"""A published leaderboard: what is verified is merged, marked with its tier; all else leaves it as it was."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from slubench.board import read_scores
from slubench.board.panel import Measure
from slubench.board.read.replicates import read_replicates
from slubench.board.runs import runs_of
from slubench.errors import DataError, UsageError
from slubench.pipeline.context import Context
from slubench.pipeline.score import first_row
from slubench.registry.adapters import Adapter
from slubench.runtime.home import Home
from slubench.submission.bundle.pack import submit
from slubench.submission.publish import merge_bundle as merging
from slubench.submission.publish.merge_bundle import merge
from slubench.submission.verify.case import Case, Proof
from slubench.submission.verify.verify import Verification, verify
from tests.command import slubench
from tests.submission.made_bundles import (
    OWN,
    a_context,
    change_json,
    change_rows,
    pretend,
    published,
    set_all,
    sign,
    the,
)


@pytest.fixture
def context(tmp_path: Path, mirror: Path, _clips: Path) -> Context:
    """A context in a checkout."""
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    (checkout / "pyproject.toml").write_text('[project]\nname = "slubench"\n', "utf-8")
    return a_context(checkout, mirror)


def held(bundle: Path, context: Context, proof: str = "") -> Verification:
    """A verification, with a further proof that finds nothing."""
    proofs = [Proof(proof, "rescored", lambda cases: cases)] if proof else []
    scratch = context.home.root.parent / f"scratch-{bundle.name}-{proof}"
    shutil.rmtree(scratch, ignore_errors=True)
    return verify(bundle, context, Home(scratch), proofs)


def tiers(context: Context) -> dict[str, str]:
    paths = sorted((context.home.root / "leaderboard" / "published").glob("*.parquet"))
    return {run.row["strategy"]: run.row["tier"] for run in runs_of(read_scores(paths).table)}


def test_what_is_verified_is_merged_and_rises(bundle: Path, context: Context) -> None:
    written = merge(held(bundle, context), context)
    assert tiers(context) == dict.fromkeys(("curriculum", "short-first", "zero-shot"), "rescored")
    there = published(context.home.root)
    assert {str(path.relative_to(context.home.root)) for path in written} == there.keys()
    assert len(there) == 3 * 5 + 1
    for path in (context.home.root / "leaderboard" / "published" / "sums").iterdir():
        assert set(pq.read_table(path).column("slice_by").to_pylist()) == {"all"}
    assert not any(str(context.home.root.parent).encode() in content for content in there.values())
    assert merge(held(bundle, context), context) == []
    assert published(context.home.root) == there
    merge(held(bundle, context, "replayed"), context)
    assert set(tiers(context).values()) == {"replayed"}
    assert merge(held(bundle, context), context) == []
    assert set(tiers(context).values()) == {"replayed"}


def test_published_files_are_read_once_whatever_the_number_of_runs(
    bundle: Path, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    merge(held(bundle, context), context)
    there = sorted((context.home.root / "leaderboard" / "published").glob("*.parquet"))
    verification = held(bundle, context, "replayed")
    read: list[Path] = []

    def counted(path: Path, names: Sequence[str]) -> dict[str, Any] | None:
        if names == merging._OF_A_RUN:
            read.append(path)
        return first_row(path, names)

    monkeypatch.setattr(merging, "first_row", counted)
    merge(verification, context)
    assert sorted(path for path in read if path in there) == there
    assert set(tiers(context).values()) == {"replayed"}


def test_scores_of_slices_are_made_by_who_verifies(one: Path, context: Context) -> None:
    """Of what a bundle brings nothing is copied but the card and the time."""
    merge(held(one, context), context)
    (path,) = (context.home.root / "leaderboard" / "published").glob("*.parquet")
    (told,) = one.glob("runs/*/scores.parquet")
    ours, theirs = pq.read_table(path).to_pylist(), pq.read_table(told).to_pylist()
    assert [row | {"tier": "claimed"} for row in ours] == theirs


def test_what_does_not_hold_leaves_it_as_it_was(bundle: Path, context: Context, one: Path) -> None:
    merge(held(one, context), context)
    there = published(context.home.root)
    change_rows(the(bundle, "zero-shot") / "scores.parquet", set_all(value=0.5))
    sign(bundle)
    assert merge(held(bundle, context), context) == []
    assert published(context.home.root) == there


def test_a_published_row_is_never_replaced(one: Path, context: Context, tmp_path: Path, mirror: Path) -> None:
    merge(held(one, context), context)
    there = published(context.home.root)
    other = a_context(tmp_path / "other", mirror)
    pretend(other, "curriculum", wrong=0.8)
    submit(["curriculum"], tmp_path / "rival", other)
    verification = held(tmp_path / "rival", context)
    assert verification.tier == "rescored"
    assert merge(verification, context) == []
    assert "is already published with other scores" in verification.findings.told()[0]
    assert published(context.home.root) == there


def test_a_published_run_is_known_whatever_its_file_is_called(
    one: Path, context: Context, tmp_path: Path, mirror: Path
) -> None:
    merge(held(one, context), context)
    folder = context.home.root / "leaderboard" / "published"
    (path,) = folder.glob("*.parquet")
    for part in folder.rglob(path.name):
        part.rename(part.with_name("renamed.parquet"))
    other = a_context(tmp_path / "other", mirror)
    pretend(other, "curriculum", wrong=0.8)
    submit(["curriculum"], tmp_path / "rival", other)
    verification = held(tmp_path / "rival", context)
    assert merge(verification, context) == []
    assert "renamed.parquet is already published with other scores" in verification.findings.told()[0]


@pytest.mark.parametrize("first", ["curriculum", "mine"])
def test_a_copy_of_a_strategy_under_another_name_replaces_nothing(
    first: str, one: Path, context: Context, tmp_path: Path, mirror: Path
) -> None:
    """With wrong replies it stands beside the original, on its own."""
    other = a_context(tmp_path / "other", mirror)
    file = Path(other.registry.origin(other.registry.strategy("curriculum")))
    (tmp_path / "other" / "strategies").mkdir(parents=True)
    copy = file.read_text("utf-8").replace('name="curriculum"', 'name="mine"')
    (tmp_path / "other" / "strategies" / "mine.py").write_text(copy, "utf-8")
    other = a_context(tmp_path / "other", mirror)
    pretend(other, "mine", wrong=0.9)
    submit(["mine"], tmp_path / "rival", other)
    bundles = {"curriculum": one, "mine": tmp_path / "rival"}
    values = {}
    for name in (first, *(bundles.keys() - {first})):
        verification = held(bundles[name], context)
        assert verification.findings.told() == []
        assert merge(verification, context)
        (scores,) = (case.scores for case in verification.cases)
        assert scores is not None
        (alone,) = runs_of(read_scores([scores]).table)
        values[name] = alone.measures
    reading = read_scores(sorted((context.home.root / "leaderboard" / "published").glob("*.parquet")))
    shown = {run.strategy: run for run in runs_of(reading.table)}
    assert {name: run.measures for name, run in shown.items()} == values
    assert values["curriculum"] != values["mine"]
    drawn = read_replicates(reading.files, reading.sources)
    for run in shown.values():
        found = drawn.find(run.row["scores_fingerprint"])
        assert found is not None
        assert found.value == pytest.approx(run.measures[Measure("slu_f1")].value)


def test_a_published_strategy_keeps_its_name(
    bundle: Path, context: Context, tmp_path: Path, mirror: Path
) -> None:
    merge(held(bundle, context), context)
    other = a_context(tmp_path / "other", mirror)
    (tmp_path / "other" / "strategies").mkdir(parents=True)
    longest = OWN.replace("len(utterance.text)", "-len(utterance.text)")
    (tmp_path / "other" / "strategies" / "own.py").write_text(longest, "utf-8")
    pretend(other, "short-first")
    submit(["short-first"], tmp_path / "rival", other)
    verification = held(tmp_path / "rival", context)
    assert merge(verification, context) == []
    assert "was published with another file of short-first" in verification.findings.told()[0]


def test_only_a_checkout_is_merged_into(one: Path, mirror: Path, tmp_path: Path) -> None:
    elsewhere = a_context(tmp_path / "elsewhere", mirror)
    with pytest.raises(UsageError, match="is not a checkout"):
        merge(held(one, elsewhere), elsewhere)


def test_a_proof_that_finds_something_grants_nothing(one: Path, context: Context) -> None:
    def prove(cases: list[Case]) -> list[Case]:
        cases[0].find("replies.parquet", "it was made up", 1)
        return []

    scratch = Home(context.home.root.parent / "scratch")
    verification = verify(one, context, scratch, [Proof("replayed", "rescored", prove)])  # type: ignore[arg-type]
    assert verification.tier is None
    assert merge(verification, context) == []
    assert published(context.home.root) == {}


@pytest.mark.slow
def test_the_commands(scored_home: Path, context: Context, mirror: Path, tmp_path: Path) -> None:
    bundle, checkout = tmp_path / "handed-in", context.home.root
    corpora = ("--corpora", mirror)
    slubench("submit", "massive-de/curriculum", "--to", bundle, "--home", scored_home, *corpora)
    ran = slubench("verify", bundle, "--home", checkout, *corpora, "--publish")
    assert ran.stdout.startswith("rescored")
    there = published(checkout)
    assert len(there) == 5
    claimed = slubench("verify", bundle, "--home", checkout, code=3, HF_HUB_OFFLINE="1")
    assert "rescored is required" in claimed.stderr
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
        (("--publish",), "is not a checkout"),
    ],
)
def test_usage(options: tuple[str, ...], message: str, one: Path, tmp_path: Path) -> None:
    assert message in slubench("verify", one, "--home", tmp_path / "home", *options, code=2).stderr


def test_a_merged_strategy_is_found_by_its_name_and_said_to_be_there(
    bundle: Path, context: Context, mirror: Path
) -> None:
    said: list[str] = []
    merge(held(bundle, context), dataclasses.replace(context, say=said.append))
    path = context.home.root / "strategies" / "short_first.py"
    assert path.read_text("utf-8") == OWN
    assert any(line.startswith(f"{path} is where the registry finds the strategy") for line in said)
    assert not path.with_suffix(".imported").exists()
    assert "short-first" in a_context(context.home.root, mirror).registry.strategies


def test_another_file_of_a_strategys_place_is_not_written_over(bundle: Path, context: Context) -> None:
    path = context.home.root / "strategies" / "short_first.py"
    path.parent.mkdir()
    path.write_text("# mine\n", "utf-8")
    verification = held(bundle, context)
    assert merge(verification, context) == []
    assert f"{path} is there already and is another file" in verification.findings.told()[-1]
    assert published(context.home.root) == {"strategies/short_first.py": b"# mine\n"}


def test_a_card_of_a_model_as_it_is_names_no_place(bundle: Path, context: Context) -> None:
    """Its name follows from nothing that was trained; what is published is derived all the same."""
    change_json(the(bundle, "zero-shot") / "card.json", lambda card: card.update(name="a" * 40, budget="9%"))
    sign(bundle)
    merge(held(bundle, context), context)
    folder = context.home.root / "adapters_registry" / "published"
    cards = [Adapter.load(path) for path in folder.iterdir()]
    names = {card.strategy: (card.name, card.budget) for card in cards}
    assert "a" * 40 not in names["zero-shot"][0]
    assert names["zero-shot"][1] == "0"
    assert {path.stem for path in folder.iterdir()} == {card.stem for card in cards}


def test_a_bundle_that_can_not_be_written_whole_is_not_written_at_all(
    bundle: Path, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(card: Adapter, path: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(merging, "write_public_card", full)
    with pytest.raises(DataError, match=r"No space left on device.*Nothing is published"):
        merge(held(bundle, context), context)
    assert published(context.home.root) == {}


def test_published_records_show_few_replies_and_no_hidden_characters(one: Path, context: Context) -> None:
    merge(held(one, context), context)
    (path,) = (context.home.root / "leaderboard" / "published" / "records").iterdir()
    (row,) = pq.read_table(path).to_pylist()
    assert 0 < len({sample["utterance"] for sample in row["samples"]}) <= 12
    assert {sample["said"] for sample in row["samples"]} == {None}
    assert all(value.isprintable() and len(value) <= 500 for _, value in row["facts"])
