"""What is in a bundle, what is not, and what is not handed in."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from slubench.errors import DataError, MissingError, SlubenchError, UsageError
from slubench.schemas import EXAMPLE_IDS, REPLIES
from slubench.submission.bundle.pack import submit
from tests.massive_mirror import SENTENCES, make_mirror
from tests.submission.conftest import Verify
from tests.submission.made_bundles import a_context, change_rows, pretend, set_all, sign, the


@pytest.fixture
def home(scored_home: Path, tmp_path: Path) -> Path:
    """A copy of the home of scored runs."""
    return Path(shutil.copytree(scored_home, tmp_path / "home"))


def test_a_bundle_holds_replies_and_ids(honest: Path) -> None:
    folder = the(honest, "curriculum")
    assert sorted(path.name for path in folder.iterdir()) == [
        "card.json",
        "lessons.parquet",
        "replies.parquet",
        "report.json",
        "scores.parquet",
    ]
    assert pq.read_schema(folder / "replies.parquet").names == REPLIES.names
    assert pq.read_schema(folder / "lessons.parquet").names == EXAMPLE_IDS.names
    assert pq.read_metadata(folder / "lessons.parquet").num_rows == 5 * 16
    assert set(pq.read_table(folder / "scores.parquet").column("tier").to_pylist()) == {"claimed"}
    (strategy,) = (honest / "strategies").glob("curriculum-*.py")
    card = json.loads((folder / "card.json").read_text("utf-8"))
    assert hashlib.sha256(strategy.read_bytes()).hexdigest() == card["strategy_digest"]
    assert "packages" in json.loads((honest / "environment.json").read_text("utf-8"))


def test_the_manifest_lists_every_file_with_its_digest(honest: Path) -> None:
    files = json.loads((honest / "manifest.json").read_text("utf-8"))["files"]
    there = {str(path.relative_to(honest)) for path in honest.rglob("*") if path.is_file()}
    assert there == {*files, "manifest.json"}
    for path, told in files.items():
        assert hashlib.sha256((honest / path).read_bytes()).hexdigest() == told["sha256"]
        assert (honest / path).stat().st_size == told["bytes"]


def test_neither_gold_nor_transcript_nor_speaker_nor_path_goes_out(honest: Path, scored_home: Path) -> None:
    words = {text.split("[")[0].strip() for _, text in SENTENCES}
    for path in honest.rglob("*"):
        if path.suffix == ".parquet":
            table = pq.read_table(path)
            assert not {"transcript", "scenario", "entities", "speaker", "text"} & set(table.column_names)
            told = json.dumps(table.to_pylist(), default=str, ensure_ascii=False)
        elif path.suffix == ".json":
            told = path.read_text("utf-8")
        else:
            continue
        assert not [text for text in words if text in told], path
        assert str(scored_home) not in told
        assert "speaker_sex" not in told or path.name == "scores.parquet"
    rows = [row for path in honest.rglob("scores.parquet") for row in pq.read_table(path).to_pylist()]
    # The mirror has four speakers: no slice over fewer than five goes out.
    assert {row["slice_by"] for row in rows} == {"all"}


@pytest.mark.parametrize(
    "name", ["massive-de/curriculum", "curriculum", "scores_fingerprint", "train_fingerprint", "card", "run"]
)
def test_runs_are_named_as_listings_name_them(
    name: str, scored_home: Path, mirror: Path, tmp_path: Path
) -> None:
    (scores,) = (scored_home / "leaderboard" / "scores").glob("*--curriculum--*.parquet")
    (card,) = (scored_home / "adapters_registry").glob("*--curriculum--*.json")
    row = pq.read_table(scores).to_pylist()[0]
    known = {"card": card.stem, "run": row["run"], **row}
    given = str(known.get(name, name))
    given = given[:8] if name.endswith("fingerprint") else given
    (kept,) = submit([given], tmp_path / "bundle", a_context(scored_home, mirror))
    assert kept.row["strategy"] == "curriculum"
    assert not (tmp_path / "bundle" / "adapters").exists()


def test_what_is_wrong_is_said_and_nothing_is_left(home: Path, mirror: Path, tmp_path: Path) -> None:
    out = tmp_path / "bundle"

    def refused(kind: type[SlubenchError], message: str, name: str = "curriculum") -> None:
        with pytest.raises(kind, match=message):
            submit([name], out, a_context(home, mirror))
        assert list(tmp_path.glob("*bundle*")) == []

    refused(UsageError, "Did you mean curriculum", "curiculum")
    with pytest.raises(UsageError, match="already exists"):
        submit(["curriculum"], home, a_context(home, mirror))
    own = home / "strategies" / "short_first.py"
    text = own.read_text("utf-8")
    own.write_text(text + "# changed\n", "utf-8")
    # The run's own record names the file of the first home, which is as it was.
    (job,) = (home / "runs").glob("*--short-first--*/train.json")
    job.unlink()
    refused(MissingError, "trained from was not found", "short-first")
    own.write_text(text, "utf-8")
    (card,) = (home / "adapters_registry").glob("*--curriculum--*.json")
    told = card.read_text("utf-8")
    card.write_text(told.replace('"clips_bought": 10', '"clips_bought": 11'), "utf-8")
    refused(DataError, "clips_bought 11; its training examples give 10")
    card.write_text(told, "utf-8")
    (scores,) = (home / "leaderboard" / "scores").glob("*--curriculum--*.parquet")
    kept = scores.read_bytes()
    change_rows(scores, set_all(scorer_version="0"))
    refused(UsageError, "slubench rescore")
    scores.write_bytes(kept)
    for answers in (home / "runs").glob("*--curriculum--*/answers"):
        shutil.rmtree(answers)
    refused(MissingError, "predictions of .* were not found")


def test_a_run_whose_corpus_has_changed_is_not_handed_in(home: Path, tmp_path: Path) -> None:
    other = make_mirror(tmp_path / "other", train=21)
    with pytest.raises(DataError, match="fingerprint"):
        submit(["curriculum"], tmp_path / "bundle", a_context(home, other))


def test_a_run_that_looked_at_a_slice_of_its_clips_is_handed_in_and_holds(
    home: Path, mirror: Path, tmp_path: Path, held: Verify
) -> None:
    pretend(a_context(home, mirror), "curriculum", selection="val-clips", seed=3)
    (name,) = {path.stem for path in (home / "leaderboard" / "scores").glob("*val-clips*.parquet")}
    submit([name], tmp_path / "out", a_context(home, mirror))
    verification = held(tmp_path / "out")
    assert verification.findings.found == []
    assert verification.tier == "rescored"
    folder = the(tmp_path / "out", "curriculum")
    card = json.loads((folder / "card.json").read_text("utf-8"))
    assert card["ledger"]["selection"] == "val-clips"
    card["ledger"]["selection"] = "last"
    (folder / "card.json").write_text(json.dumps(card), "utf-8")
    sign(tmp_path / "out")
    assert held(tmp_path / "out").tier is None
