"""The modules of `evaluate`: they load from a path without network and give the package's own numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import slubench
from slubench.errors import UsageError

REPLY = '{"scenario":"alarm","action":"set","entities":[{"time":"%s"}]}'


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    for name in ("HF_EVALUATE_OFFLINE", "HF_DATASETS_OFFLINE"):
        monkeypatch.setenv(name, "1")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    import evaluate

    def loaded(name: str) -> Any:
        return evaluate.load(
            slubench.evaluate_path(name), cache_dir=str(tmp_path / "cache"), experiment_id=tmp_path.name
        )

    return loaded


@pytest.mark.filterwarnings("default")
def test_all_of_them(load: Any) -> None:
    metric = load("slurp_slu")
    said, gold = [REPLY % "five pm", "What?"], [REPLY % "five am", REPLY % "noon"]
    found = metric.compute(predictions=said, references=gold)
    # One of two: a word of two and a character of seven wrong; the other is missed whole.
    wrong = 1 / 2 + 1 / 7
    assert found["slu_f1"] == pytest.approx(2 * 2 / (2 * 2 + 2 * wrong + 2))
    assert found["intent_accuracy"] == found["parse_failures"] == 0.5
    assert metric.compute(predictions=[REPLY % "NOON"], references=[REPLY % "noon"])["exact_match"] == 1
    official = metric.compute(predictions=[REPLY % "NOON"], references=[REPLY % "noon"], normalised=False)
    assert official["exact_match"] == 0

    found = load("slu_slots").compute(predictions=said, references=gold)
    assert found == {"slot_type_f1": 0.5, "slot_value_cer": pytest.approx(5 / 11)}

    gold_rows = [{"intent": "alarm_set", "labels": ["Other", "time", "time"]}]
    said_rows = [{"intent": "alarm_set", "labels": ["Other", "time", "Other"]}]
    found = load("massive_slots").compute(predictions=said_rows, references=gold_rows)
    assert found == {"intent_accuracy": 1.0, "token_slot_f1": 0.0, "token_exact_match": 0.0}

    metric = load("word_errors")
    assert metric.compute(predictions=["Wake me at nine"], references=["wake me at five"]) == {"wer": 0.25}


def test_each_has_a_card() -> None:
    folders = {path.parent for path in Path(slubench.evaluate_path("slurp_slu")).parent.glob("*/*.py")}
    assert {folder.name for folder in folders} == {"slurp_slu", "slu_slots", "massive_slots", "word_errors"}
    for folder in folders:
        card = (folder / "README.md").read_text("utf-8")
        assert card.startswith("---\ntitle: ")
        assert f'evaluate_path("{folder.name}")' in card
    with pytest.raises(UsageError, match="Did you mean slurp_slu"):
        slubench.evaluate_path("slurp_su")
