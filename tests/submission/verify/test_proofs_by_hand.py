"""What lifts a run and what does not: rows beside answers, replies beside replies, a score beside others."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pyarrow as pa
import pytest

from slubench.runtime.home import Home
from slubench.schemas import SCORES
from slubench.submission.problems import Problems
from slubench.submission.retrain import proof
from slubench.submission.retrain.interval import Reproduction, ScoreInterval
from slubench.submission.retrain.proof import Retrained
from slubench.submission.verify import replay
from slubench.submission.verify.score_rows import unlike_rows
from slubench.submission.verify.verify import Verification
from tests.board.made_scores import score_rows


def table(rows: list[dict[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist(rows, schema=SCORES)


ROWS = [row | {"speakers": 9} for row in score_rows()]


@pytest.mark.parametrize("name", ["value", "low", "high", "n", "clusters", "speakers"])
def test_every_number_of_a_row_must_follow_from_the_answers(name: str) -> None:
    told = [dict(row) for row in ROWS]
    told[3][name] = told[3][name] + (1 if name in ("n", "clusters", "speakers") else 0.001)
    ((number, why),) = unlike_rows(table(told), table(ROWS))
    assert number == 4
    assert why.startswith(f"{name} of ")
    assert list(unlike_rows(table(ROWS), table(ROWS))) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [("input", "asr"), ("slice", "x"), ("slice_by", "mic"), ("metric", "wer"), ("normalised", False)],
)
def test_a_row_of_another_place_does_not_pass_for_the_one_that_is_due(name: str, value: Any) -> None:
    rows = [row for row in ROWS if row["normalised"]]
    told = [dict(row) for row in rows]
    told[0][name] = value
    found = list(unlike_rows(table(told), table(rows)))
    assert [number for number, _ in found] == [1, None]
    assert "does not follow from any prediction" in found[0][1]
    assert found[1][1].startswith("1 rows that follow")


def test_a_row_that_stands_twice_is_found() -> None:
    found = list(unlike_rows(table([*ROWS, ROWS[2]]), table(ROWS)))
    assert [number for number, _ in found] == [len(ROWS) + 1]
    assert "occurs twice" in found[0][1]


@pytest.mark.parametrize(
    ("tiers", "tier"),
    [
        (("retrained", "rescored", "replayed"), "rescored"),
        (("replayed", "retrained"), "replayed"),
        (("claimed", "retrained"), "claimed"),
        ((), None),
    ],
)
def test_a_bundle_is_worth_what_its_weakest_run_is(tiers: tuple[str, ...], tier: str | None) -> None:
    cases = cast(Any, [SimpleNamespace(tier=one) for one in tiers])
    assert Verification(Path("b"), cases, Problems()).tier == tier
    faulty = Problems()
    faulty.add("file", "a fault")
    assert Verification(Path("b"), cases, faulty).tier is None


class Case:
    """A case with what proofs look at."""

    def __init__(self, name: str, **row: Any) -> None:
        self.name, self.notes = name, list[str]()
        self.found: list[str] = []
        told = {
            "task": "t",
            "strategy": "s",
            "speech": "5%",
            "target": "none",
            "data_seed": 0,
            "train_seed": 0,
        }
        told |= {"model": "m", "track": "lora", "ruleset": "fixed", "edition": "full"}
        self.claim: Any = SimpleNamespace(row=told | row, replies=[])
        self.entry = SimpleNamespace(strategy="s.py")
        self.scores = Path(name)

    def find(self, file: str, message: str, row: int | None = None) -> None:
        self.found.append(message)


OTHERS = ("strategy", "model", "track", "ruleset", "edition")


@pytest.mark.parametrize("score", [0.61, 0.9])
def test_a_cell_is_held_against_the_runs_of_its_own_setting_alone(
    score: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = [Case(f"drawn {seed}", data_seed=seed, train_seed=seed) for seed in range(3)]
    alike = [
        Case("another task", task="u"),
        Case("another budget", speech="10%"),
        Case("target", target="text"),
    ]
    others = [Case(name, **{name: "another"}) for name in OTHERS]
    cases = [*drawn, *alike, *others]
    given: list[Any] = []

    def compared(retrained: Path, handed_in: list[Path]) -> Reproduction:
        given.extend((retrained, handed_in))
        return Reproduction(score, 0.6, ScoreInterval(0.55, 0.65), 3)

    monkeypatch.setattr(proof, "compare", compared)
    monkeypatch.setattr(Retrained, "_retrain", lambda self, case: Path("made here"))
    monkeypatch.setattr(Retrained, "_own", lambda self, case, scores, told: (case.name, scores))
    lifted: Any = Retrained("t/s/5%", 7, cast(Any, None), Home(Path("scratch")))(cast(Any, cases))
    # The score is held against all that were handed in for the cell, and against no other.
    assert given == [Path("made here"), [Path(one.name) for one in drawn]]
    if score < 0.65:
        assert lifted == [("drawn 0", Path("made here"))]
    else:
        assert lifted == []
        assert "outside [55.0, 65.0]" in drawn[0].found[0]


@pytest.mark.parametrize(
    ("claimed", "again", "explained", "unexplained", "holds"),
    [
        ("float32", "float32", 0, 0, True),
        # Of 400 replies at most 18 may come otherwise in float32, and 3 of them without a tie.
        ("float32", "float32", 18, 0, True),
        ("float32", "float32", 19, 0, False),
        ("float32", "float32", 0, 3, True),
        ("float32", "float32", 0, 4, False),
        # In bfloat16, which counts as soon as one of both times was in it, 191 and 5.
        ("bfloat16", "bfloat16", 191, 0, True),
        ("bfloat16", "float32", 191, 0, True),
        ("float32", "bfloat16", 191, 0, True),
        ("bfloat16", "bfloat16", 192, 0, False),
        ("bfloat16", "bfloat16", 0, 5, True),
        ("bfloat16", "bfloat16", 0, 6, False),
    ],
)
def test_as_many_replies_may_come_otherwise_as_the_coarser_number_format_explains(
    claimed: str, again: str, explained: int, unexplained: int, holds: bool, tmp_path: Path
) -> None:
    lines = [
        {"utterance": str(at), "input": asked, "reply": f"{asked} {at}", "tokens": 3, "finish": "stop"}
        for asked in ("speech", "text")
        for at in range(200)
    ]
    # A tie at the first token lets the submitted reply begin otherwise.
    came = [line | {"ties": [[0, "an", False]]} if at < explained else line for at, line in enumerate(lines)]
    (tmp_path / "replies.jsonl").write_text("".join(json.dumps(line) + "\n" for line in came), "utf-8")
    case = Case("mine")
    wrong = explained + unexplained
    case.claim.replies = [
        {**line, "reply": "another" if at < wrong else line["reply"]} for at, line in enumerate(lines)
    ]
    # What was not asked again does not count.
    case.claim.replies.append({"utterance": "999", "input": "speech", "reply": "never asked"})
    asked = frozenset((line["utterance"], line["input"]) for line in lines)
    ready = SimpleNamespace(case=case, folder=tmp_path, engine="transformers", dtype=claimed, asked=asked)
    proven: list[Any] = replay.judge([replay._compare(cast(Any, ready), again)])
    assert proven == ([case] if holds else [])
    assert len(case.found) == (0 if holds else wrong)
    dtype = "float32" if claimed == again == "float32" else "bfloat16"
    assert (f"{wrong} of them came otherwise, as {dtype} may round" in case.notes) is (holds and wrong > 0)
