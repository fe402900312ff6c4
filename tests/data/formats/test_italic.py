"""ITALIC has MASSIVE's slots where that text lies beside it, and unknown slots where it does not."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from slubench import Utterance
from slubench.data.rows import read_rows
from slubench.data.source import Source
from slubench.errors import DataError
from slubench.registry import Registry
from slubench.runtime.digest import Digests
from tests.massive_mirror import tone

TASK = Registry().task("italic")
TEXTS = {"1": "svegliami alle [time : cinque]", "2": "che tempo fa a [place_name : roma]"}
INTENTS = {"1": "alarm_set", "2": "weather_query"}


def write_italic(root: Path, utt: str = "utt") -> None:
    rows = [
        {
            "id": int(number),
            utt: annotated.replace("[time : ", "").replace("[place_name : ", "").replace("]", ""),
            "intent": INTENTS[number],
            "speaker": 7,
            "gender": "female",
            "is_native": True,
            "audio": {"bytes": tone(), "path": f"{number}.wav"},
        }
        for number, annotated in TEXTS.items()
    ]
    path = root / "RiTA-nlp/ITALIC/massive/test-00000-of-00001.parquet"
    path.parent.mkdir(parents=True)
    pq.write_table(pa.Table.from_pylist(rows), path)


def write_text(root: Path, intents: dict[str, str]) -> None:
    path = root / "massive/it-IT.jsonl"
    path.parent.mkdir()
    plain = {"1": "svegliami alle cinque", "2": "che tempo fa a roma"}
    lines = [
        # ITALIC drew its own partitions: the partner is found in any.
        {"id": n, "partition": "train", "intent": intents[n], "utt": plain[n], "annot_utt": TEXTS[n]}
        for n in TEXTS
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")


def read(root: Path) -> tuple[list[str], tuple[Utterance, ...]]:
    source = Source(Digests(root / "digests.json"), root, hub=False)
    rows = read_rows(source.find(TASK.corpus, "it", "test"))
    return [row.reason for row in rows.rejected], rows.utterances


def test_slots_are_massives(tmp_path: Path) -> None:
    write_italic(tmp_path)
    write_text(tmp_path, INTENTS)
    rejected, utterances = read(tmp_path)
    assert rejected == []
    first, second = utterances
    assert first.meaning.entities == (("time", "cinque"),)
    assert second.meaning.entities == (("place_name", "roma"),)
    assert first.slots_known
    assert first.slices == {"speaker_sex": "female", "speaker_native": "True"}
    assert first.speaker == "7"


def test_without_massive_the_slots_are_unknown_and_not_none(tmp_path: Path) -> None:
    write_italic(tmp_path)
    rejected, utterances = read(tmp_path)
    assert rejected == []
    assert [u.slots_known for u in utterances] == [False, False]
    assert [u.meaning.intent for u in utterances] == ["alarm_set", "weather_query"]


def test_an_intent_that_is_not_massives_is_named(tmp_path: Path) -> None:
    write_italic(tmp_path)
    write_text(tmp_path, {**INTENTS, "2": "alarm_set"})
    rejected, utterances = read(tmp_path)
    assert len(utterances) == 1
    assert rejected == ["the intent is 'weather_query', but 'alarm_set' in MASSIVE for the same id"]


def test_other_names_of_columns_are_known_and_what_is_not_is_said_to_be_assumed(tmp_path: Path) -> None:
    write_italic(tmp_path, utt="transcript")
    assert len(read(tmp_path)[1]) == 2
    write_italic(tmp_path / "other", utt="words")
    with pytest.raises(DataError, match=r"lacks the column utt.*column names were assumed"):
        read(tmp_path / "other")
