"""A bundle that holds is granted a tier; what does not hold is told, all of it, with file and row."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from slubench.runtime.home import Home
from slubench.schemas import TIERS as KNOWN
from slubench.submission.bundle.layout import TIERS
from slubench.submission.verify.verify import verify
from tests.massive_mirror import make_mirror
from tests.submission.conftest import Verify
from tests.submission.made_bundles import a_context, change_json, change_rows, set_all, sign, the


def test_what_holds_is_rescored_and_nothing_of_it_is_imported(bundle: Path, held: Verify) -> None:
    verification = held(bundle)
    assert verification.findings.found == []
    assert verification.tier == "rescored"
    assert {case.tier for case in verification.cases} == {"rescored"}
    assert list(bundle.rglob("*.imported")) == []
    told = verification.to_json()
    assert {run["strategy"] for run in told["runs"]} == {"curriculum", "short-first", "zero-shot"}


def test_without_the_corpus_it_is_claimed(bundle: Path, tmp_path: Path) -> None:
    verification = verify(bundle, a_context(tmp_path / "home", None), Home(tmp_path / "scratch"))
    assert verification.tier == "claimed"
    assert all("the corpus is not available here" in case.notes[0] for case in verification.cases)


def test_another_corpus_proves_nothing(bundle: Path, tmp_path: Path) -> None:
    other = make_mirror(tmp_path / "other", test=9)
    verification = verify(bundle, a_context(tmp_path / "home", other), Home(tmp_path / "scratch"))
    assert verification.tier == "claimed"
    assert "Give the right corpus" in verification.cases[0].notes[0]


def test_replies_are_parsed_again_whatever_their_scores_say(one: Path, held: Verify) -> None:
    folder = the(one, "curriculum")
    change_rows(folder / "replies.parquet", set_all(reply='<script>alert("x")</script>'))
    sign(one)
    verification = held(one)
    assert verification.tier is None
    (first, *_) = verification.findings.found
    assert first.file == f"runs/{folder.name}/scores.parquet"
    assert first.row is not None
    assert "the predictions give" in first.message


Rows = list[dict[str, object]]


def _first_value(rows: Rows) -> None:
    rows[3]["value"] = 0.99


def _doubled(rows: Rows) -> None:
    rows[1] = dict(rows[0])


def _dropped(rows: Rows) -> None:
    del rows[0]


def _strange(rows: Rows) -> None:
    rows[2]["utterance"] = "99999"


def _asked_otherwise(rows: Rows) -> None:
    rows[2]["input"] = "asr"


def _unbought(rows: Rows) -> None:
    heard = [row for row in rows if row["heard"]]
    heard[0]["heard"] = [{"language": "de", "utterance": "10001"}]


def _unread(rows: Rows) -> None:
    rows[0]["utterance"] = "10001"


def _another_order(rows: Rows) -> None:
    one, other = rows[0], rows[1]
    one["utterance"], other["utterance"] = other["utterance"], one["utterance"]


def _fewer(rows: Rows) -> None:
    del rows[-16:]


@pytest.mark.parametrize(
    ("file", "change", "row", "message"),
    [
        ("scores.parquet", _first_value, 4, "is 0.99; the predictions give"),
        ("scores.parquet", _doubled, 2, "occurs twice"),
        ("scores.parquet", _dropped, None, "1 rows that follow from the predictions are missing"),
        ("scores.parquet", set_all(scorer_version="99"), 1, "scorer_version is '99', and this version"),
        ("scores.parquet", set_all(schema_version=1), 1, "schema_version is 1"),
        ("scores.parquet", set_all(rules=7), 1, "rules is 7"),
        ("scores.parquet", set_all(tier="retrained"), 1, "a tier is granted, not declared"),
        ("scores.parquet", set_all(engine="onnx 1"), 1, "engine is 'onnx 1', expected vllm or transformers"),
        ("scores.parquet", set_all(serving="dead"), 1, "serving is 'dead', expected live, merged or native"),
        ("scores.parquet", set_all(dtype="BF 16"), 1, "dtype is 'BF 16', expected a number format"),
        ("scores.parquet", set_all(train_fingerprint="0"), 1, "train_fingerprint is '0', expected 64"),
        ("scores.parquet", set_all(test_in="!!"), 1, "test_in is '!!', expected the code of a language"),
        ("scores.parquet", set_all(strategy="<script>"), 1, "strategy is '<script>', expected at most 64"),
        ("scores.parquet", set_all(strategy="../../x"), 1, "strategy is '../../x'"),
        ("scores.parquet", set_all(strategy="x" * 10_000), 1, "xxx..., expected at most 64"),
        ("scores.parquet", set_all(task="masive-de"), 1, "Did you mean massive-de"),
        ("scores.parquet", set_all(model="7b"), 1, "model is '7b'; card, report and names give 'tiny'"),
        ("scores.parquet", set_all(edition="huge"), 1, "no edition 'huge'"),
        ("scores.parquet", set_all(speech="10%"), 1, "train_fingerprint"),
        ("scores.parquet", set_all(data_seed=3), 1, "train_fingerprint"),
        ("scores.parquet", set_all(train_seed=3), 1, "train_fingerprint"),
        ("scores.parquet", set_all(engine="vllm 1"), 1, "answers_fingerprint"),
        ("scores.parquet", set_all(engine="magic 1"), 1, "engine is 'magic 1', expected vllm or"),
        ("scores.parquet", set_all(run="another"), 1, "run is 'another'"),
        ("scores.parquet", set_all(clip_exposures=1), 1, "clip_exposures is 1"),
        ("scores.parquet", set_all(train_seconds=0.1), 1, "train_seconds is 0.1"),
        ("scores.parquet", set_all(speech="all of it"), 1, "--speech 'all of it'"),
        ("replies.parquet", _doubled, 2, "has two predictions"),
        ("replies.parquet", _dropped, None, "1 of 8 utterances have no prediction (speech)"),
        ("replies.parquet", _strange, 3, "'99999' is not in speech-massive/de/test"),
        ("replies.parquet", _asked_otherwise, 3, "input is 'asr', expected speech or text"),
        ("replies.parquet", set_all(reply="x" * 30_000), 1, "a reply of 30,000 characters"),
        ("replies.parquet", set_all(reply=None), 1, "reply is empty"),
        ("lessons.parquet", _unbought, None, "is not among the 10 that 50% buys at data seed 0"),
        ("lessons.parquet", _unread, 1, "'10001' ('de') is not in the pool of massive-de"),
        ("lessons.parquet", _another_order, 1, "strategy, budget and seeds give"),
        ("lessons.parquet", _fewer, None, "stage 2 has 2 updates (32 examples), but the rules give 3 (48)"),
        ("lessons.parquet", set_all(stage=7), 1, "stage 7, but curriculum has 2"),
    ],
)
def test_what_does_not_follow_is_told_with_its_row(
    file: str,
    change: Callable[[list[dict[str, object]]], object],
    row: int | None,
    message: str,
    one: Path,
    held: Verify,
) -> None:
    folder = the(one, "curriculum")
    change_rows(folder / file, change)
    sign(one)
    verification = held(one)
    assert verification.tier is None
    found = [each for each in verification.findings.found if message in each.message]
    assert found, verification.findings.told()
    assert found[0].file == f"runs/{folder.name}/{file}"
    if row is not None:
        assert found[0].row == row
    assert all(len(line) < 600 and line.isprintable() for line in verification.findings.told())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda card: card.update(weights="0" * 64), "the run used another model"),
        (lambda card: card.update(data_seed="0"), "data_seed is '0', expected an integer"),
        (lambda card: card.update(extra=1), "'extra' is not a known field"),
        (lambda card: card.pop("ledger"), "ledger is missing"),
        (lambda card: card["ledger"].update(clips_bought=9), "clips_bought 9; its training examples give 10"),
        (
            lambda card: card["ledger"].update(updates=["5"]),
            "ledger.updates, item 1, is '5', expected an integer",
        ),
        (lambda card: card["ledger"].update(clip_ids="0" * 64), "its training examples give"),
        (lambda card: card["training"].update(seconds="long"), "training.seconds is 'long'"),
        (lambda card: card["recipe"].update(rate=1.0), "recipe is"),
        (lambda card: card.update(licence="mine"), "licence is 'mine'"),
        (lambda card: card.update(name="../../x"), "name is '../../x'"),
        (lambda card: card.update(strategy_digest="0" * 64), "it is not the file that was used for training"),
        (lambda card: card.update(version=9), "version is 9, expected 2"),
    ],
)
def test_a_card_that_does_not_follow(
    change: Callable[[dict[str, object]], object], message: str, one: Path, held: Verify
) -> None:
    change_json(the(one, "curriculum") / "card.json", change)
    sign(one)
    verification = held(one)
    assert verification.tier is None
    assert any(message in each.message for each in verification.findings.found), verification.findings.told()


def test_all_findings_come_at_once_and_other_runs_are_still_looked_at(bundle: Path, held: Verify) -> None:
    change_rows(the(bundle, "curriculum") / "replies.parquet", _dropped)
    change_rows(the(bundle, "curriculum") / "lessons.parquet", _unread)
    change_rows(the(bundle, "zero-shot") / "scores.parquet", _first_value)
    sign(bundle)
    verification = held(bundle)
    files = {Path(one.file).name for one in verification.findings.found}
    assert files == {"replies.parquet", "lessons.parquet", "scores.parquet"}
    assert verification.tier is None
    assert [case.tier for case in verification.cases if "short-first" in case.name] == ["rescored"]


def test_a_strategy_with_a_function_of_its_own_hears_what_was_bought(bundle: Path, held: Verify) -> None:
    change_rows(the(bundle, "short-first") / "lessons.parquet", _unbought)
    sign(bundle)
    (finding,) = held(bundle).findings.found
    assert "is not among the 10 that 50% buys at data seed 0" in finding.message


@pytest.mark.parametrize(
    "change", [("rate=0.6", "rate=0.7"), ('name="curriculum"', 'name="curriculum", ontology=True')]
)
def test_a_name_that_is_taken(change: tuple[str, str], one: Path, held: Verify) -> None:
    (file,) = (one / "strategies").glob("curriculum-*.py")
    before = file.read_text("utf-8")
    assert change[0] in before
    file.write_text(before.replace(*change), "utf-8")
    sign(one)
    assert any("the name curriculum is taken" in line for line in held(one).findings.told())


def test_a_strategy_that_only_running_it_would_tell(one: Path, held: Verify) -> None:
    (file,) = (one / "strategies").glob("curriculum-*.py")
    file.write_text("import os\nSTRATEGY = os.system('touch imported')\n", "utf-8")
    sign(one)
    verification = held(one)
    assert "can be read from the file without running it" in str(verification.findings.found[0])
    assert list(one.rglob("imported")) == []


def test_the_same_run_twice(bundle: Path, held: Verify) -> None:
    folder = the(bundle, "zero-shot")
    shutil.copytree(folder, folder.with_name("massive-de--zero-shot-again"))

    def add(manifest: dict[str, list[dict[str, object]]]) -> None:
        again = {**manifest["runs"][-1], "folder": "runs/massive-de--zero-shot-again"}
        manifest["runs"].append(again)

    change_json(bundle / "manifest.json", add)
    sign(bundle)
    assert any("is in the bundle twice" in line for line in held(bundle).findings.told())


def test_tiers_are_those_of_the_leaderboard() -> None:
    assert set(TIERS) < set(KNOWN)
    assert [tier for tier in KNOWN if tier in TIERS] == list(TIERS)
