"""`slubench compare`, as its user sees it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from slubench.cli.app import app
from slubench.errors import DataError, SlubenchError, UsageError
from tests.board.known_truth import write_home
from tests.command import ROOT

LEVELS = {("text-only", 0.0): 0.5, ("direct-mix", 0.05): 0.6, ("curriculum", 0.05): 0.7}


@pytest.fixture(autouse=True)
def nothing_published(monkeypatch: pytest.MonkeyPatch) -> None:
    """Made-up seeds must not meet the measured ones that come with the package."""
    own = "leaderboard/scores/*.parquet"
    monkeypatch.setattr("slubench.board.score_files", lambda home: sorted(Path(home).glob(own)))


def compared(home: Path, *arguments: str) -> str:
    ran = CliRunner().invoke(app, ["compare", *arguments, "--home", str(home)])
    if ran.exception is not None and not isinstance(ran.exception, SystemExit):
        raise ran.exception
    assert ran.exit_code == 0, ran.output
    return ran.stdout.replace("\N{NARROW NO-BREAK SPACE}", " ")


def test_five_seeds_allow_a_claim_about_strategies(home: Path) -> None:
    write_home(home, LEVELS)
    said = compared(home, "curriculum", "direct-mix", "--task", "massive-de", "--speech", "5%")
    assert said.startswith("curriculum is better than direct-mix on massive-de at 5 %: +")
    assert "5 seeds, p < 0.001" in said
    assert "broken: none" in said
    back = compared(home, "direct-mix", "curriculum")
    assert back.startswith("direct-mix is worse than curriculum on massive-de at 5 %: \u2212")
    assert "curriculum is better than text-only" in compared(home, "curriculum", "text-only")
    (one, other) = json.loads(compared(home, "curriculum", "direct-mix", "--by", "entities", "--json"))
    assert [one["slice"], other["slice"]] == [["entities", "none"], ["entities", "some"]]
    assert one["difference"]["comparisons"] == 2
    assert one["verdict"] == "better"


def test_published_rows_are_compared_by_slice_where_gold_may_be_shown(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    found = json.loads(
        compared(home, "curriculum", "direct-mix", "--task", "massive-de", "--by", "entities", "--json")
    )
    assert {tuple(one["slice"]) for one in found} == {("entities", "some")}
    arguments = ("--metric", "exact_match", "--by", "entities", "--json")
    found = json.loads(compared(home, "curriculum", "direct-mix", "--task", "massive-de", *arguments))
    assert {tuple(one["slice"]) for one in found} == {("entities", "none"), ("entities", "some")}


def test_few_seeds_speak_of_trained_models_alone(home: Path) -> None:
    write_home(home, {**LEVELS, ("speech-only", 0.05): 0.601}, range(3))
    assert "not about the strategies" in compared(home, "curriculum", "direct-mix")
    runs = [path.stem for path in sorted((home / "leaderboard" / "scores").glob("*.parquet"))]
    ours, theirs = (next(run for run in runs if name in run) for name in ("curriculum", "text-only"))
    assert "These two trained models differ on massive-de" in compared(home, ours, theirs)
    assert "the strategies may not" in compared(home, ours.rsplit("-", 1)[1], theirs)


def test_what_is_asked_wrongly_is_met_with_the_reason(home: Path) -> None:
    (path, *_) = write_home(home, LEVELS, [0])
    for arguments, message in (
        (("curiculum", "direct-mix"), "Did you mean curriculum"),
        (("text-only", "curiculum"), "Did you mean curriculum"),
        (("curriculum", "curriculum"), "itself"),
        (("curriculum", "direct-mix", "--metric", "slu_f2"), "Did you mean slu_f1"),
        (("curriculum", "direct-mix", "--by", "entites"), "Did you mean entities"),
        (("curriculum", "direct-mix", "--speech", "10%"), "share no seed"),
        (("curriculum", path.stem), "is a strategy"),
    ):
        with pytest.raises(UsageError, match=message):
            compared(home, *arguments)
    for sums in (home / "leaderboard" / "scores" / "sums").glob("*"):
        sums.unlink()
    with pytest.raises(DataError, match="slubench rescore"):
        compared(home, "curriculum", "direct-mix")


def test_files_stand_for_their_runs_and_strategies(home: Path, tmp_path: Path) -> None:
    paths = write_home(home, LEVELS)
    ours, theirs = (next(str(p) for p in paths if name in p.stem) for name in ("curriculum", "direct-mix"))
    assert "These two trained models" in compared(home, ours, theirs)
    away = tmp_path / "handed" / "other.parquet"
    away.parent.mkdir()
    (tmp_path / "handed" / "sums").mkdir()
    Path(theirs).rename(away)
    beside = Path(theirs).parent / "sums" / Path(theirs).name
    beside.rename(away.parent / "sums" / away.name)
    assert "These two trained models" in compared(home, ours, str(away))
    file = tmp_path / "curriculum.py"
    file.write_text((ROOT / "strategies" / "curriculum.py").read_text("utf-8"), "utf-8")
    assert compared(home, str(file), "text-only").startswith("curriculum is better than text-only")
    replies = tmp_path / "said.jsonl"
    replies.write_text("{}\n", "utf-8")
    for name, message in ((str(replies), "slubench score FILE"), ("./nowhere.parquet", "does not exist")):
        with pytest.raises(SlubenchError, match=message):
            compared(home, name, "text-only")
