"""MASSIVE's labels are checked against one another, and its text reads from every form it comes in."""

from __future__ import annotations

import gzip
import json
import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from slubench.data.formats import ontology
from slubench.data.rows import read_rows
from slubench.data.source import Source
from slubench.errors import DataError
from slubench.registry import Registry
from slubench.runtime.digest import Digests
from tests.massive_mirror import SENTENCES, make_mirror, row, tone, write_split

TASK = Registry().task("massive-de")
CROSSING = Registry().task("massive-fr-to-de")
TEXT = CROSSING.target_text


def source(mirror: Path) -> Source:
    return Source(Digests(mirror / "digests.json"), mirror, hub=False)


def test_the_ontology_is_the_hubs(real_text: Path) -> None:
    facts = json.loads((real_text / "massive/ontology.json").read_text("utf-8"))
    assert list(ontology.SCENARIOS) == facts["scenarios_hf_order"]
    assert list(ontology.INTENTS) == facts["intents_hf_order"]
    assert sorted(ontology.SLOT_TYPES) == facts["slot_types_sorted"]


DISAGREEING = [
    ({"scenario": 3}, "scenario 3 means 'play', but scenario's string is 'alarm'"),
    ({"scenario": 18}, "scenario is 18, out of range; the ontology has 18"),
    ({"intent_idx": 0}, "intent_idx 0 means 'datetime_query'"),
    ({"scenario_str": "audio"}, "intent_str 'alarm_set' does not belong to scenario_str 'audio'"),
    ({"locale": "fr-FR"}, "the row's locale is 'fr-FR', but the file's language is 'de'"),
    ({"annot_utt": "satz [colour : rot]", "utt": "satz rot"}, "unknown slot type colour"),
]


@pytest.mark.parametrize(("change", "told"), DISAGREEING, ids=lambda value: str(value)[:30])
def test_labels_that_disagree_are_named(tmp_path: Path, change: dict[str, object], told: str) -> None:
    good = row(1, "alarm_set", "satz", "de-DE", "train", tone(), "1")
    write_split(tmp_path, "train", [good, {**good, "id": "2", **change}])
    rows = read_rows(source(tmp_path).find(TASK.corpus, "de", "train"))
    assert [u.id for u in rows.utterances] == ["1"]
    (rejected,) = rows.rejected
    assert told in rejected.reason


def test_a_sentence_that_does_not_match_its_tokens_is_remarked(tmp_path: Path) -> None:
    odd = row(1, "alarm_set", "wecke mich", "de-DE", "train", tone(), "1") | {"tokens": ["wecke", "uns"]}
    write_split(tmp_path, "train", [odd])
    (utterance,) = read_rows(source(tmp_path).find(TASK.corpus, "de", "train")).utterances
    assert utterance.remarks == ("utt does not match its tokens",)


def test_a_column_of_another_kind_is_named(tmp_path: Path) -> None:
    make_mirror(tmp_path)
    path = tmp_path / "FBK-MT/Speech-MASSIVE/de-DE/train-00000-of-00001.parquet"
    table = pq.read_table(path)
    place = table.schema.get_field_index("scenario")
    strings = pa.array(["alarm"] * table.num_rows)
    pq.write_table(table.set_column(place, "scenario", strings), path)
    with pytest.raises(DataError, match="the column scenario holds string, expected integer"):
        read_rows(source(tmp_path).find(TASK.corpus, "de", "train"))


def official(number: int, partition: str) -> dict[str, str]:
    intent, annotated = SENTENCES[number % len(SENTENCES)]
    spoken = row(number, intent, annotated, "de-DE", partition, None, "")
    kept = {name: spoken[name] for name in ("id", "locale", "partition", "utt", "annot_utt")}
    return {**kept, "scenario": spoken["scenario_str"], "intent": intent}


@pytest.mark.parametrize("ending", ["jsonl", "jsonl.gz"])
def test_official_text_is_read_by_partition(tmp_path: Path, ending: str) -> None:
    lines = [official(n, part) for n, part in enumerate(("train", "dev", "train", "test"))]
    path = tmp_path / f"massive/de-DE.{ending}"
    path.parent.mkdir()
    text = "".join(json.dumps(line) + "\n" for line in lines)
    path.write_bytes(gzip.compress(text.encode()) if ending.endswith("gz") else text.encode())
    assert TEXT is not None
    found = source(tmp_path)
    assert [u.id for u in read_rows(found.find(TEXT, "de", "train")).utterances] == ["0", "2"]
    assert [u.id for u in read_rows(found.find(TEXT, "de", "validation")).utterances] == ["1"]


def test_text_of_the_hubs_parquet_has_integers(tmp_path: Path) -> None:
    rows = [official(n, "train") for n in range(4)]
    table = pa.Table.from_pylist(
        [
            {
                **each,
                "scenario": ontology.SCENARIOS.index(each["scenario"]),
                "intent": ontology.INTENTS.index(each["intent"]),
            }
            for each in rows
        ]
    )
    path = tmp_path / "AmazonScience/massive/de-DE/train/0000.parquet"
    path.parent.mkdir(parents=True)
    pq.write_table(table, path)
    assert TEXT is not None
    read = read_rows(source(tmp_path).find(TEXT, "de", "train"))
    assert [u.meaning.intent for u in read.utterances] == [each["intent"] for each in rows]
    assert all(u.clip is None for u in read.utterances)


def test_truncated_text_is_named(tmp_path: Path) -> None:
    path = tmp_path / "massive/de-DE.jsonl.gz"
    path.parent.mkdir()
    whole = gzip.compress("".join(json.dumps(official(n, "train")) + "\n" for n in range(200)).encode())
    path.write_bytes(whole[: len(whole) // 2])
    assert TEXT is not None
    with pytest.raises(DataError, match=r"de-DE\.jsonl\.gz cannot be read completely"):
        read_rows(source(tmp_path).find(TEXT, "de", "train"))


def test_real_german_text_reads_whole(real_text: Path, tmp_path: Path) -> None:
    (tmp_path / "massive").mkdir()
    shutil.copy(real_text / "massive/de-DE.jsonl.gz", tmp_path / "massive")
    assert TEXT is not None
    rows = read_rows(source(tmp_path).find(TEXT, "de", "train"))
    assert (len(rows.utterances), rows.rejected) == (11_514, ())
