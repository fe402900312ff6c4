"""`slubench new task`, `new model` and `new metric`: what they write is found, read and used."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

from slubench.cli.app import app
from slubench.data.clips import ClipStore
from slubench.data.recordings import decode_recordings
from slubench.data.rows import read_rows
from slubench.data.source import Source
from slubench.domain.meaning import Meaning
from slubench.errors import MissingError, UsageError
from slubench.registry import Registry
from slubench.runtime.digest import Digests

HEADER = ("file", "transcript", "intent", "slots", "speaker_id")


def new(*arguments: str | Path) -> str:
    ran = CliRunner().invoke(app, ["new", *map(str, arguments)])
    if ran.exception is not None and not isinstance(ran.exception, SystemExit):
        raise ran.exception
    assert ran.exit_code == 0, ran.output
    return ran.stdout


def rows(count: int = 30) -> list[tuple[str, ...]]:
    intents = ("call", "cancel", '["call", "cancel"]')
    slots = ('[{"type": "number", "filler": "7"}]', "", '{"number": "8"}')
    return [(f"{n}.wav", f"number {n}", intents[n % 3], slots[n % 3], f"s{n % 4}") for n in range(count)]


def make_folder(folder: Path, names: tuple[str, ...] = ("all.csv",), delimiter: str = ",") -> Path:
    (folder / "audio").mkdir(parents=True)
    rng = np.random.default_rng(0)
    for name in names:
        with (folder / name).open("w", encoding="utf-8", newline="") as stream:
            csv.writer(stream, delimiter=delimiter).writerows([HEADER, *rows()])
    for n in range(30):
        soundfile.write(folder / f"audio/{n}.wav", rng.normal(0, 0.1, 1600 + n), 16_000)
    return folder


def read(home: Path, name: str, split: str = "test") -> tuple[int, set[str]]:
    task = Registry(home).task(name)
    source = Source(Digests(home / "digests.json"))
    found = read_rows(source.find(task.corpus, task.test_in, split))
    assert found.rejected == ()
    heard = decode_recordings(found.utterances, "audio", "x", ClipStore(home / "clips", 16_000, 30.0))
    assert heard.rejected == ()
    return len(found.utterances), {one.meaning.intent for one in found.utterances}


def test_a_table_without_splits_is_divided(home: Path, tmp_path: Path) -> None:
    path = Path(new("task", "my-calls", "--from", make_folder(tmp_path / "calls"), "--home", home).strip())
    assert path == home / "tasks" / "my_calls.py"
    text = path.read_text("utf-8")
    assert 'text="transcript"' in text
    assert "divided=True" in text
    counts = {split: read(home, "my-calls", split) for split in ("train", "validation", "test")}
    assert sum(count for count, _ in counts.values()) == 30
    assert counts["train"][0] > counts["test"][0] > 0
    assert counts["train"][1] == {"command_call", "command_cancel", "command_call+cancel"}


def test_a_folder_with_a_table_for_each_split(home: Path, tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "calls", ("train.tsv", "dev.tsv", "test.tsv"), "\t")
    new("task", "my-calls", "--from", folder, "--language", "de", "--home", home)
    assert {
        split: read(home, "my-calls", split)[0] for split in ("train", "validation", "test")
    } == dict.fromkeys(("train", "validation", "test"), 30)
    task = Registry(home).task("my-calls")
    first = read_rows(Source(Digests(home / "d.json")).find(task.corpus, "de", "test")).utterances[0]
    assert first.meaning == Meaning("command", "call", (("number", "7"),))  # type: ignore[arg-type]
    assert (first.speaker, first.slots_known) == ("s0", True)


def test_the_mini_edition_lacks_data_of_ones_own(home: Path, tmp_path: Path) -> None:
    new("task", "my-calls", "--from", make_folder(tmp_path / "calls"), "--home", home)
    task = Registry(home).task("my-calls")
    mini = Source(Digests(home / "d.json"), tmp_path, hub=False)
    assert not mini.has(task.corpus, "en", "test")
    with pytest.raises(MissingError):
        mini.find(task.corpus, "en", "test")


def test_a_hub_set_is_pinned_and_read_from_a_mirror(home: Path) -> None:
    new("task", "my-set", "--hub", "owner/name", "--revision", "abc123", "--intent", "label", "--home", home)
    task = Registry(home).task("my-set")
    (layout,) = task.corpus.layouts
    place = layout.place("train")
    assert place is not None
    assert (place.repository, place.revision) == ("owner/name", "abc123")
    assert set(layout.columns) == {"text", "label"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--intent", "intentt"), "Did you mean intent"),
        (("--hub", "a/b"), "either --from DIR or --hub"),
    ],
)
def test_what_is_given_wrongly(arguments: tuple[str, ...], message: str, home: Path, tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "calls")
    with pytest.raises(UsageError, match=message):
        new("task", "x-calls", "--from", folder, *arguments, "--home", home)
    assert not (home / "tasks").exists()


def test_a_table_that_does_not_tell_is_asked_about(home: Path, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,b\n1,2\n", "utf-8")
    with pytest.raises(UsageError, match=r"holds the text\? Name it with --text. Columns: a, b"):
        new("task", "x-calls", "--from", tmp_path, "--home", home)
    (tmp_path / "t.csv").unlink()
    with pytest.raises(UsageError, match="holds no table"):
        new("task", "x-calls", "--from", tmp_path, "--home", home)
    with pytest.raises(UsageError, match="is not a folder"):
        new("task", "x-calls", "--from", tmp_path / "nowhere", "--home", home)


def test_a_missing_column_of_a_table_is_named(home: Path, tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "calls")
    new("task", "my-calls", "--from", folder, "--home", home)
    (folder / "all.csv").write_text("file,transcript\n1.wav,x\n", "utf-8")
    task = Registry(home).task("my-calls")
    source = Source(Digests(home / "d.json"))
    found = [read_rows(source.find(task.corpus, "en", split)) for split in ("train", "validation", "test")]
    reasons = {row.reason for one in found for row in one.rejected}
    assert reasons
    assert all("lacks the column" in one and "it has: file, transcript" in one for one in reasons), reasons


def test_columns_of_any_name_hold_plain_text(home: Path, tmp_path: Path) -> None:
    """Such as `labels` and `entities`, which hold JSON where predictions are scored."""
    folder = make_folder(tmp_path / "calls")
    lines = [("file", "transcript", "labels", "entities")]
    lines += [(f"{n}.wav", f"wake me at {n}", "wake", f"wake me at [time : {n}]") for n in range(30)]
    with (folder / "all.csv").open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows(lines)
    new("task", "my-calls", "--from", folder, "--home", home)
    task = Registry(home).task("my-calls")
    found = read_rows(Source(Digests(home / "d.json")).find(task.corpus, "en", "train"))
    assert found.rejected == ()
    assert {entity.type for one in found.utterances for entity in one.meaning.entities} == {"time"}


def test_a_model_and_a_metric_begin(home: Path) -> None:
    new("model", "my-model", "--home", home)
    new("metric", "first-entity", "--home", home)
    registry = Registry(home)
    assert registry.models["my-model"].family == "qwen2_audio"
    metric = registry.metrics["first_entity"]
    gold = [Meaning("a", "b", (("time", "eight"),)), Meaning("a", "b", ())]  # type: ignore[arg-type]
    counts = metric.counting.count(gold, [gold[0], None])
    assert metric.measure(counts.sum(axis=0)) == 1.0
    with pytest.raises(UsageError, match="already exists"):
        new("metric", "first-entity", "--home", home)
    with pytest.raises(UsageError, match="A model 'tiny' already exists"):
        new("model", "tiny", "--home", home)


def test_what_new_writes_is_formatted_python(home: Path, tmp_path: Path) -> None:
    folder = make_folder(tmp_path / 'my "calls"')
    path = Path(new("task", "my-calls", "--from", folder, "--home", home).strip())
    assert json.dumps(str(folder)) in path.read_text("utf-8")
    assert read(home, "my-calls")[0] > 0
