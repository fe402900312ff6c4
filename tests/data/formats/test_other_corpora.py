"""Corpora of others: each is read from a mirror in the layout and with the columns of its publication."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from slubench import Utterance
from slubench.data.clips import ClipStore
from slubench.data.recordings import decode_recordings
from slubench.data.rows import Rows, read_rows
from slubench.data.source import Source
from slubench.errors import DataError
from slubench.registry import Registry
from slubench.runtime.digest import Digests
from tests.massive_mirror import tone

REGISTRY = Registry()
parse = importlib.import_module("slubench.tasks.stop").parse
AUDIO = pa.struct([("bytes", pa.binary()), ("path", pa.string())])


def hub_file(root: Path, name: str, rows: list[dict[str, Any]], classes: dict[str, list[str]]) -> None:
    """A Parquet file as the datasets library writes it, the names of labels in its metadata."""
    table = pa.Table.from_pylist(rows)
    features = {
        column: {"names": classes[column], "_type": "ClassLabel"} if column in classes else {"_type": "Value"}
        for column in table.column_names
    }
    told = json.dumps({"info": {"features": features}}).encode()
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table.replace_schema_metadata({b"huggingface": told}), path)


def read(task: str, root: Path, split: str) -> Rows:
    found = REGISTRY.task(task)
    source = Source(Digests(root / "digests.json"), root, hub=False)
    rows = read_rows(source.find(found.corpus, found.test_in, split))
    assert rows.rejected == ()
    return rows


def is_heard(utterances: tuple[Utterance, ...], root: Path) -> None:
    heard = decode_recordings(utterances, "audio", "x", ClipStore(root / "clips", 16_000, 30.0))
    assert heard.rejected == ()
    assert len(heard.keys) == len(utterances)


def test_minds14_is_divided_the_same_for_everybody(tmp_path: Path) -> None:
    names = ["abroad", "address", "app_error"]
    rows = [
        {
            "path": f"de-DE~ADDRESS/{number:04}.wav",
            "audio": {"bytes": tone(), "path": f"{number:04}.wav"},
            "transcription": f"satz {number}",
            "english_transcription": "sentence",
            "intent_class": number % 3,
            "lang_id": 1,
        }
        for number in range(60)
    ]
    hub_file(tmp_path, "PolyAI/minds14/de-DE/train-00000-of-00001.parquet", rows, {"intent_class": names})
    splits = {name: read("minds14-de", tmp_path, name).utterances for name in ("train", "validation", "test")}
    ids = {name: {one.id for one in found} for name, found in splits.items()}
    assert sum(map(len, ids.values())) == 60
    assert not ids["train"] & ids["test"]
    assert len(ids["train"]) > len(ids["test"]) > len(ids["validation"]) > 0
    assert {one.meaning.intent for one in splits["train"]} == {f"banking_{name}" for name in names}
    assert not splits["test"][0].slots_known
    is_heard(splits["test"], tmp_path)


def test_sib_fleurs_takes_the_first_recording_of_a_sentence(tmp_path: Path) -> None:
    rows = [
        {
            "sentence": "Ein Satz.",
            "id": 7,
            "fleurs_id": 7,
            "filename": ["a.wav", "b.wav"],
            "audio": [{"bytes": tone(), "path": "a.wav"}, {"bytes": tone(), "path": "b.wav"}],
            "index_id": 3,
            "category": 1,
        }
    ]
    topics = ["science/technology", "travel", "politics"]
    name = "WueNLP/sib-fleurs/data/deu_Latn/test-00000-of-00001.parquet"
    hub_file(tmp_path, name, rows, {"category": topics})
    (one,) = read("sib-fleurs-de", tmp_path, "test").utterances
    assert (one.id, one.text, one.meaning.scenario, one.meaning.action) == (
        "3",
        "Ein Satz.",
        "topic",
        "travel",
    )
    is_heard((one,), tmp_path)
    assert len([name for name in REGISTRY.tasks if name.startswith("sib-fleurs-")]) == 102


def test_slue_voxpopuli_reads_entities_from_spans(tmp_path: Path) -> None:
    text = "the commission met in brussels in two thousand twelve"
    rows = [
        {
            "id": "20131007_3",
            "audio": {"bytes": tone(), "path": "3.ogg"},
            "speaker_id": "s1",
            "normalized_text": text,
            "raw_text": "x",
            "normalized_combined_ner": {"type": ["WHEN", "PLACE"], "start": [34, 22], "length": [19, 8]},
        },
        {
            "id": "20131007_4",
            "audio": {"bytes": tone(), "path": "4.ogg"},
            "speaker_id": "s2",
            "normalized_text": "thank you",
            "raw_text": "x",
            "normalized_combined_ner": {"type": [], "start": [], "length": []},
        },
    ]
    hub_file(tmp_path, "asapp/slue/voxpopuli/test-00000-of-00001.parquet", rows, {})
    one, other = read("slue-voxpopuli", tmp_path, "test").utterances
    assert one.meaning.entities == (("PLACE", "brussels"), ("WHEN", "two thousand twelve"))
    assert other.meaning.entities == ()
    assert one.slots_known
    assert one.speaker == "s1"


def test_stop_is_read_from_its_manifests_and_recordings(tmp_path: Path) -> None:
    header = (
        "file_id domain gender native utterance seqlogical normalized_utterance normalized_seqlogical"
        " decoupled_normalized_seqlogical"
    )
    lines = ["\t".join(header.split())]
    for number, (text, seqlogical) in enumerate(
        (
            ("wake me at eight", "[IN:CREATE_ALARM wake me [SL:DATE_TIME at eight ] ]"),
            (
                'text "mum" now',
                '[IN:SEND_MESSAGE text [SL:RECIPIENT [IN:GET_CONTACT [SL:CONTACT "mum" ] ] ] now ]',
            ),
        )
    ):
        cells = [f"alarm_test_0/{number}.wav", "alarm", "female", "yes", text, "x", text, seqlogical, "x"]
        lines.append("\t".join(cells))
        wav = tmp_path / f"stop/alarm_test/{number}.wav"
        wav.parent.mkdir(parents=True, exist_ok=True)
        wav.write_bytes(tone())
    manifest = tmp_path / "stop/manifests/test.tsv"
    manifest.parent.mkdir(parents=True)
    manifest.write_text("\n".join(lines) + "\n", "utf-8")
    one, other = read("stop", tmp_path, "test").utterances
    assert (one.meaning.intent, one.meaning.entities) == ("alarm_create_alarm", (("date_time", "at eight"),))
    assert other.meaning.entities == (("recipient", '"mum"'), ("recipient/contact", '"mum"'))
    assert one.slices == {"gender": "female", "native": "yes"}
    is_heard((one, other), tmp_path)
    (tmp_path / "stop/manifests/eval.tsv").write_text("\n".join(lines[:2]) + "\n", "utf-8")
    assert len(read("stop", tmp_path, "validation").utterances) == 1


@pytest.mark.parametrize("broken", ["", "wake me", "[IN:A b", "[IN:A ] ]", "[SL:A b ]", "[IN:A ] [IN:B ]"])
def test_a_broken_parse_is_refused(broken: str) -> None:
    with pytest.raises(DataError, match="parse"):
        parse(broken)


def test_mac_slu_joins_the_intents_of_an_utterance(tmp_path: Path) -> None:
    rows = [
        {
            "id": 5,
            "query": "打开空调然后导航回家",
            "semantics": [
                {"domain": "车载控制", "intent": "车身控制", "slots": {"操作": "打开", "对象": "空调"}},
                {"domain": "地图", "intent": "导航", "slots": {"终点名称": "家"}},
            ],
        },
        {"id": 6, "query": "嗯", "semantics": []},
    ]
    path = tmp_path / "MAC_SLU/test.jsonl"
    path.parent.mkdir()
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    (tmp_path / "MAC_SLU/audio").mkdir()
    for row in rows:
        (tmp_path / f"MAC_SLU/audio/id_{row['id']}.wav").write_bytes(tone())
    several, none = read("mac-slu", tmp_path, "test").utterances
    assert several.meaning.scenario == "车载控制+地图"
    assert several.meaning.action == "车身控制+导航"
    assert several.meaning.entities[2] == ("地图-终点名称", "家")
    assert (several.slices["intents"], none.slices["intents"]) == ("several", "none")
    assert none.meaning.intent == "none_none"
    is_heard((several, none), tmp_path)


def test_italic_as_its_authors_release_it(tmp_path: Path) -> None:
    row = {"id": 12, "speaker_id": 3, "scenario": "alarm", "field": "svegliami", "intent": "alarm_set"}
    (tmp_path / "recordings").mkdir()
    (tmp_path / "recordings/12.wav").write_bytes(tone())
    (tmp_path / "massive_test.json").write_text(json.dumps(row) + "\n", "utf-8")
    (one,) = read("italic", tmp_path, "test").utterances
    assert (one.text, one.meaning.intent, one.speaker) == ("svegliami", "alarm_set", "3")
    assert not one.slots_known
    is_heard((one,), tmp_path)
