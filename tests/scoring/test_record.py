"""A run's record: curve thinned, card flattened, sample answers with gold only where that may be shown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from slubench.domain.ledger import Ledger
from slubench.domain.meaning import Entity, Meaning, as_reply
from slubench.domain.utterance import Utterance
from slubench.registry.adapters import Adapter
from slubench.runtime.home import RECORDS, beside
from slubench.schemas import RECORDS as SCHEMA
from slubench.scoring.predictions import Prediction
from slubench.scoring.record import EACH, POINTS, Origin, samples_of, shelved, thinned, write_record

LIGHTS = Meaning("iot", "hue_lightoff", (Entity("house_place", "Küche"),))
GOLD = {
    f"{number}": Utterance(id=f"{number}", language="de", text=f"licht aus {number}", meaning=LIGHTS)
    for number in range(40)
}


def answer(name: str, reply: str, meaning: Meaning | None, input_kind: str = "speech") -> Prediction:
    return Prediction(name, input_kind, reply, meaning, 9)


def answers() -> list[Prediction]:
    """Every fourth is right up to case, every other wrong; one reply is no JSON."""
    right = Meaning("iot", "hue_lightoff", (Entity("house_place", "küche"),))
    wrong = Meaning("iot", "hue_lighton")
    said = [
        answer(name, as_reply(right if int(name) % 4 == 0 else wrong), right if int(name) % 4 == 0 else wrong)
        for name in GOLD
    ]
    said[1] = answer("1", "I can't", None)
    return said + [answer(name, as_reply(right), right, "text") for name in GOLD]


def test_right_and_wrong_answers_are_shown_with_all_that_was_replied_to_them() -> None:
    shown = samples_of(answers(), GOLD, gold_shown=True)
    heard = [row for row in shown if row["input"] == "speech"]
    assert [row["right"] for row in heard] == [False] * EACH + [True] * EACH
    assert all(int(row["utterance"]) % 4 == 0 for row in heard if row["right"])
    assert {row["utterance"] for row in shown if row["input"] == "text"} == {
        row["utterance"] for row in heard
    }
    assert shown[0]["said"] == f"licht aus {shown[0]['utterance']}"
    assert shown[0]["meant"] == as_reply(LIGHTS)


def test_which_are_shown_does_not_depend_on_the_order_of_the_answers() -> None:
    backwards = [*reversed(answers()[: len(GOLD)]), *reversed(answers()[len(GOLD) :])]
    assert [row["utterance"] for row in samples_of(backwards, GOLD, gold_shown=False)[::2]] == [
        row["utterance"] for row in samples_of(answers(), GOLD, gold_shown=False)[::2]
    ]


def test_without_leave_there_are_ids_and_replies_alone() -> None:
    shown = samples_of(answers(), GOLD, gold_shown=False)
    assert {row["said"] for row in shown} == {row["meant"] for row in shown} == {None}
    assert all(row["reply"] for row in shown)


@pytest.mark.parametrize("updates", [1, 7, POINTS, POINTS + 1, 500, 3001])
def test_a_curve_is_thinned_to_means_that_end_with_its_last_update(updates: int) -> None:
    curve = [{"update": number, "loss": float(number), "rate": 0.0} for number in range(1, updates + 1)]
    points = thinned(curve)
    assert len(points) <= POINTS
    assert points[-1][0] == updates
    size = points[0][0]
    assert points[0][1] == pytest.approx((1 + size) / 2)


def test_without_training_there_is_no_curve() -> None:
    assert thinned([]) == []


def card(**training: Any) -> Adapter:
    return Adapter(
        name="n",
        fingerprint="f",
        base="tiny",
        weights="w",
        track="lora-lm",
        strategy="s",
        strategy_digest="d",
        corpus="c",
        pools={"c/de/train": "r"},
        budget="5%",
        data_seed=0,
        train_seed=0,
        edition="mini",
        ruleset="fixed",
        recipe={"rate": 0.005, "batch": 16},
        ledger=Ledger(updates=(3, 4)),
        training=training,
    )


def written(tmp_path: Path, origin: Origin, reports: dict[str, Any] | None = None) -> dict[str, Any]:
    identity = {"scores_fingerprint": "scores", "train_fingerprint": "train"}
    path = tmp_path / "a.parquet"
    write_record(path, identity, origin, reports or {}, samples_of(answers(), GOLD, gold_shown=True))
    table = pq.read_table(beside(path, RECORDS))
    assert table.schema.equals(SCHEMA)
    (row,) = table.to_pylist()
    assert isinstance(row, dict)
    return row


def test_a_record_holds_card_curve_and_strategy(tmp_path: Path) -> None:
    strategy = tmp_path / "mine.py"
    strategy.write_text('"""Mine."""\n', "utf-8")
    curve = [{"update": 1, "loss": 2.5, "rate": 0.1}]
    training = {"curve": curve, "seconds": 1.25, "repository": str(tmp_path), "stages": [{"updates": 3}]}
    row = written(
        tmp_path, Origin(card(**training), str(strategy), True), {"speech+text": {"engine": "vllm"}}
    )
    facts = dict(row["facts"])
    assert facts["recipe.rate"] == "0.005"
    assert facts["ledger.updates"] == "3, 4"
    assert facts["training.stages.1.updates"] == "3"
    assert facts["answering.speech+text.engine"] == "vllm"
    assert (row["curve_updates"], row["curve_losses"]) == ([1], [2.5])
    assert (row["strategy_file"], row["strategy_source"]) == ("mine.py", '"""Mine."""\n')
    assert len(row["samples"]) == 4 * EACH
    assert str(tmp_path) not in str(row)


def test_a_run_whose_card_and_strategy_are_gone_has_a_record_all_the_same(tmp_path: Path) -> None:
    row = written(tmp_path, Origin(None, "plugin mine (mine:MINE)", True))
    assert (row["strategy_file"], row["strategy_source"]) == ("plugin mine (mine:MINE)", "")
    assert row["facts"] == []


def test_a_strategy_of_the_shelf_is_told_with_its_folder() -> None:
    from slubench.registry import Registry

    registry = Registry()
    assert shelved(registry.origin(registry.strategy("curriculum"))) == "strategies/curriculum.py"
