"""Predictions come in the tables that people have; each gives the same rows, and others are named."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from slubench.data.table_files import numbered_rows
from slubench.errors import DataError
from slubench.scoring.external import read_predictions

TIME = {"type": "time", "filler": "acht, ja"}
ROWS: list[dict[str, Any]] = [
    {
        "file": "a.flac",
        "scenario": "alarm",
        "action": "set",
        "entities": [{"type": "time", "filler": "acht, ja"}],
    },
    {"file": "b.flac", "scenario": "audio", "action": "off", "entities": []},
]


def as_csv(separator: str) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream, delimiter=separator)
    writer.writerow(ROWS[0])
    for row in ROWS:
        writer.writerow([json.dumps(cell) if isinstance(cell, list) else cell for cell in row.values()])
    return stream.getvalue()


LINES = "\n".join(map(json.dumps, ROWS))
FORMS: dict[str, bytes] = {
    "a.jsonl": LINES.encode(),
    "b.json": LINES.encode(),
    "c.json": json.dumps(ROWS, indent=2).encode(),
    "d.jsonl": json.dumps(ROWS).encode(),
    "e.json": json.dumps({"model": "x", "predictions": ROWS}, indent=1).encode(),
    "f.csv": as_csv(",").encode(),
    "g.csv": b"\xef\xbb\xbf" + as_csv(";").encode(),
    "h.tsv": as_csv("\t").encode(),
    "i.csv.gz": gzip.compress(as_csv(",").encode()),
    "j.json.gz": gzip.compress(json.dumps(ROWS).encode()),
    "said": LINES.encode(),
}


@pytest.mark.parametrize("name", FORMS)
def test_every_table_gives_the_same_rows(name: str, tmp_path: Path) -> None:
    file = tmp_path / name
    file.write_bytes(FORMS[name])
    assert [row for _, row in numbered_rows(file)] == ROWS
    (one, other) = read_predictions(file, ["file"])
    assert one.prediction is not None
    assert one.prediction.meaning.entities[0].filler == "acht, ja"
    assert other.item == "b.flac"


@pytest.mark.parametrize("name", ["k.parquet", "k.pq"])
def test_parquet_is_known_by_its_first_bytes(name: str, tmp_path: Path) -> None:
    pq.write_table(pa.Table.from_pylist(ROWS), tmp_path / name)
    assert [row for _, row in numbered_rows(tmp_path / name)] == ROWS


def test_replies_in_csv(tmp_path: Path) -> None:
    reply = '{"scenario":"alarm","action":"set","entities":[{"time":"acht"}]}'
    file = tmp_path / "said.csv"
    with file.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([["id", "reply"], ["1", reply], ["2", ""]])
    one, empty = read_predictions(file, ["id"])
    assert one.prediction is not None
    assert empty.replied
    assert empty.prediction is None


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.xlsx", b"PK\x03\x04", "What is read: JSON lines"),
        ("a.txt", b"alarm set", "What is read: JSON lines"),
        ("a.json", b"{\n", "not complete JSON"),
        ("a.json", b"[1, 2]", "item 1: expected a JSON object, found a int"),
        ("a.json", b'{\n"x": 1}', "with no lists"),
        ("a.csv", b"file,reply\na.flac,x,y\n", "line 2: 3 cells, but the header has 2 columns"),
        ("a.csv", b'file,entities\na.flac,"{time"\n', "must hold JSON"),
        ("a.csv", b'file,reply\na.flac,"x\n', "not CSV"),
        ("a.csv", "file,reply\nä,x\n".encode("latin-1"), "not UTF-8"),
        ("a.csv", b"file,file\na,b\n", "occurs twice"),
    ],
)
def test_what_cannot_be_read_is_named(name: str, content: bytes, message: str, tmp_path: Path) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    read: Callable[[], Any] = lambda: list(numbered_rows(file))  # noqa: E731
    with pytest.raises(DataError, match=message) as error:
        read()
    assert str(file) in str(error.value)
