"""A metric declared in one file of HOME: in score files, in `compare`, in the terminal and on the page."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from slubench.data.editions import EDITIONS
from slubench.data.rows import read_rows
from slubench.data.splits import find_test
from slubench.domain.strategy import Strategy
from slubench.pipeline.find_scores import find_scores
from slubench.registry.adapters import Adapter
from slubench.runtime.digest import Digests
from slubench.runtime.home import REPLICATES, SUMS, beside
from slubench.scoring.predictions import read_answers
from slubench.submission.run_of_row import plan_row, run_of_row
from tests.command import ROOT, slubench
from tests.massive_mirror import make_mirror
from tests.submission.made_bundles import a_context, pretend

PAGE = (ROOT / "docs" / "metrics.md").read_text("utf-8")
FIRST_ENTITY = PAGE.split("```python\n")[1].split("```")[0].replace("First entity", "First <entity>")
"""The example of the docs, with a title that would be markup."""


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    return make_mirror(tmp_path / "mirror")


def test_a_metric_of_home_is_in_scores_compare_terminal_and_page(home: Path, mirror: Path) -> None:
    (home / "metrics").mkdir(parents=True)
    (home / "metrics" / "first_entity.py").write_text(FIRST_ENTITY, "utf-8")
    context = a_context(home, mirror)
    files = {
        name: pretend(context, name, wrong=wrong)
        for name, wrong in (("curriculum", 0.2), ("direct-mix", 0.6))
    }

    rows = {name: pq.read_table(path).to_pylist() for name, path in files.items()}
    (value,) = (
        row["value"]
        for row in rows["curriculum"]
        if (row["metric"], row["input"], row["slice_by"], row["normalised"])
        == ("first_entity", "speech", "all", True)
    )
    assert value == pytest.approx(share_right(home, mirror, files["curriculum"]))
    sums = pq.read_table(beside(files["curriculum"], SUMS)).to_pylist()
    assert {row["counting"] for row in sums} == {"slurp", "slots", "readings", "first_entity"}
    assert {row["columns"] for row in sums if row["counting"] == "first_entity"} == {"items,right"}
    kept = pq.read_table(beside(files["curriculum"], REPLICATES)).column("metric").to_pylist()
    assert kept.count("first_entity") == 2  # from speech and from text

    names = [row[0]["run"] for row in rows.values()]
    told = slubench("compare", *names, "--home", home).stdout
    assert re.search(r"First <entity> +\+", told)
    own = json.loads(slubench("compare", *names, "--home", home, "--metric", "first_entity", "--json").stdout)
    assert own[0]["summary"].count("First <entity>") == 1
    assert own[0]["difference"]["value"] > 0
    assert {"slu_f1", "slot_type_f1", "slot_value_cer"} <= {one["metric"] for one in own[0]["others"]}
    assert "First <entity>" in slubench("leaderboard", "show", "--task", "massive-de", "--home", home).stdout

    site = home / "site"
    slubench("leaderboard", "build", "--home", home, "--out", site)
    page = (site / "index.html").read_text("utf-8")
    assert "First &lt;entity&gt;</span></th>" in page
    runs = "".join(path.read_text("utf-8") for path in (site / "assets").glob("runs-*/*.js"))
    assert '"first_entity":["First \\u003centity\\u003e","points"]' in runs
    assert '"first_entity","speech",true' in runs


def share_right(home: Path, mirror: Path, scores: Path) -> float:
    """The metric, counted by hand."""
    context = a_context(home, mirror)
    source = EDITIONS["full"].source(mirror, Digests(context.home.digests))
    gold = {
        u.key: u.meaning for u in read_rows(find_test(context.registry.task("massive-de"), source)).utterances
    }
    strategy = pq.read_table(scores).column("strategy")[0].as_py()
    (answers,) = context.home.runs.glob(f"*{strategy}*/answers/*/answers.parquet")
    having = [one for one in read_answers(answers) if one.input == "speech" and gold[one.utterance].entities]
    right = [
        one.meaning is not None and one.meaning.entities[:1] == gold[one.utterance].entities[:1]
        for one in having
    ]
    return sum(right) / len(right)


def test_scores_are_made_again_when_a_metric_is_added(home: Path, mirror: Path) -> None:
    context = a_context(home, mirror)
    before = pretend(context, "direct-mix")
    assert "first_entity" not in pq.read_table(before).column("metric").to_pylist()
    (home / "metrics").mkdir()
    (home / "metrics" / "first_entity.py").write_text(FIRST_ENTITY, "utf-8")
    (done,) = json.loads(slubench("rescore", "--home", home, "--corpora", mirror, "--json").stdout)
    assert Path(done["scores"]) != before
    assert not before.exists()
    assert "first_entity" in pq.read_table(done["scores"]).column("metric").to_pylist()
    row, card, strategy = _named(home, mirror)
    run = run_of_row(row, card, strategy, context)
    now = a_context(home, mirror)
    assert find_scores(plan_row(run, row, now), now) == Path(done["scores"])


def _named(home: Path, mirror: Path) -> tuple[dict[str, Any], Adapter, Strategy]:
    context = a_context(home, mirror)
    (card,) = (Adapter.load(path) for path in context.home.adapters.glob("*.json"))
    (scores,) = context.home.scores.glob("*.parquet")
    row = pq.read_table(scores).slice(0, 1).to_pylist()[0]
    return row, card, context.registry.strategy("direct-mix")


def test_a_file_of_predictions_is_scored_by_it_too(home: Path, tmp_path: Path) -> None:
    (home / "metrics").mkdir(parents=True)
    (home / "metrics" / "first_entity.py").write_text(FIRST_ENTITY, "utf-8")
    gold = {"id": "1", "partition": "test", "scenario": "alarm", "intent": "alarm_set"}
    gold |= {"annot_utt": "wake me at [time : five]", "utt": "wake me at five"}
    (tmp_path / "gold.jsonl").write_text(json.dumps(gold) + "\n", "utf-8")
    reply = '{"scenario":"alarm","action":"set","entities":[{"time":"five"}]}'
    (tmp_path / "said.jsonl").write_text(json.dumps({"id": "1", "reply": reply}) + "\n", "utf-8")
    arguments = (tmp_path / "said.jsonl", "--gold", tmp_path / "gold.jsonl", "--home", home)
    report = json.loads(slubench("score", *arguments, "--json").stdout)["reports"][0]
    assert {row["value"] for row in report["scores"] if row["metric"] == "first_entity"} == {1.0}
    assert "First <entity>" in slubench("score", *arguments).stdout


def test_a_metric_whose_counts_do_not_fit_is_told(home: Path, tmp_path: Path) -> None:
    (home / "metrics").mkdir(parents=True)
    broken = FIRST_ENTITY.replace('("items", "right")', '("items", "right", "more")')
    (home / "metrics" / "first_entity.py").write_text(broken, "utf-8")
    gold = {"id": "1", "scenario": "alarm", "intent": "alarm_set", "annot_utt": "wake me"}
    (tmp_path / "gold.jsonl").write_text(json.dumps(gold) + "\n", "utf-8")
    (tmp_path / "said.jsonl").write_text('{"id": "1", "reply": "x"}\n', "utf-8")
    ran = slubench(
        "score", tmp_path / "said.jsonl", "--gold", tmp_path / "gold.jsonl", "--home", home, code=1
    )
    assert "counting first_entity: counts of shape (1, 2), expected (1, 3)" in ran.stderr
