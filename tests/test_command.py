"""From the command to the page on a mirror of tones: trained, asked, scored, reused, resumed, published."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.command import ROOT, headline, heeds_interrupts, slubench
from tests.massive_mirror import make_mirror, tone, write_split
from tests.massive_mirror import row as mirror_row

OWN = '''
"""Longest sentences first."""

from slubench import SPEECH, TEXT, Example, Stage, Strategy


def longest_first(pool, rng):
    for utterance in sorted(pool.pairs(), key=lambda utterance: -len(utterance.text)):
        yield Example.spoken(utterance)


LONGEST = Strategy(name="longest-first", stages=(Stage(learns_from=TEXT | SPEECH, compose=longest_first),))
'''


@pytest.fixture(scope="module")
def mirror(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_mirror(tmp_path_factory.mktemp("mirror"))


@pytest.fixture
def run(mirror: Path, home: Path) -> tuple[str | Path, ...]:
    """A run that takes seconds."""
    options = ("--edition", "full", "--corpora", mirror, "--model", "tiny", "--engine", "transformers")
    return ("run", "--task", "massive-de", "--home", home, *options)


def test_from_the_command_to_the_page(run: tuple[str | Path, ...], home: Path) -> None:
    ran = slubench(*run, "--strategy", "curriculum", "--speech", "50%", "--json")
    rows = headline(ran)
    spoken = rows["speech", "slu_f1"]
    assert (spoken["clips_bought"], spoken["clips_unique"], spoken["clip_exposures"]) == (10, 10, 20)
    assert spoken["updates"] == 5
    assert spoken["n"] == spoken["clusters"] == 8
    assert {metric for input_kind, metric in rows if input_kind == "text"} >= {
        "slu_f1",
        "intent_accuracy",
        "entity_f1",
        "exact_match",
        "parse_failures",
    }
    (card,) = (home / "adapters_registry").glob("*.json")
    told = json.loads(card.read_text("utf-8"))
    assert told["ledger"]["clip_exposures"] == {"de": 20}
    assert told["licence"].startswith("CC-BY-NC-SA-4.0")
    assert (card.with_suffix("") / "adapter_model.safetensors").is_file()
    assert (card.with_suffix("") / "adapter_config.json").is_file()
    (train_set,) = (home / "runs").glob("*/lessons.parquet")
    assert pq.read_metadata(train_set).num_rows == 5 * 16

    again = slubench(*run, "--strategy", "curriculum", "--speech", "50%", "--json")
    assert headline(again)["speech", "slu_f1"]["cached"]
    assert "already scored" in again.stderr

    page = Path(slubench("leaderboard", "build", "--home", home).stdout.strip())
    assert "massive-de" in page.read_text("utf-8")
    (record,) = pq.read_table(home / "leaderboard" / "scores" / "records").to_pylist()
    assert len(record["curve_updates"]) == 5
    assert {(sample["said"], sample["meant"]) for sample in record["samples"]} == {(None, None)}
    assert dict(record["facts"])["ledger.clip_exposures.de"] == "20"
    assert str(home) not in str(record)
    assert "Stage(learns_from=TEXT" in record["strategy_source"]
    strategy = (page.parent / "strategies" / "curriculum.html").read_text("utf-8")
    assert "Text first, then text and speech" in strategy
    assert "curriculum" in slubench("leaderboard", "show", "--home", home, "--task", "massive-de").stdout
    assert card.stem in slubench("list", "runs", "--home", home).stdout
    assert told["fingerprint"] in slubench("show", card.stem, "--home", home, "--json").stdout


@pytest.mark.slow
def test_an_adapter_that_heard_nothing_serves_every_budget(run: tuple[str | Path, ...], home: Path) -> None:
    slubench(*run, "--strategy", "text-only", "--speech", "5%")
    again = slubench(*run, "--strategy", "text-only", "--speech", "100%")
    assert "already scored" in again.stderr
    assert len(list((home / "adapters_registry").glob("*.json"))) == 1


@pytest.mark.slow
def test_zero_shot_is_asked_as_it_is(run: tuple[str | Path, ...], home: Path) -> None:
    rows = headline(slubench(*run, "--strategy", "zero-shot", "--json"))
    assert rows["speech", "slu_f1"]["updates"] == 0
    (card,) = (home / "adapters_registry").glob("*.json")
    assert json.loads(card.read_text("utf-8"))["sha256"] == {}


@pytest.mark.slow
def test_a_strategy_of_ones_own_in_a_file(run: tuple[str | Path, ...], tmp_path: Path) -> None:
    path = tmp_path / "longest.py"
    path.write_text(OWN)
    rows = headline(slubench(*run, "--strategy", path, "--speech", "100%", "--json"))
    assert rows["speech", "slu_f1"]["strategy"] == "longest-first"
    assert rows["speech", "slu_f1"]["clip_exposures"] == 20
    path.write_text(OWN.replace("-len", "len"))
    assert "already scored" not in slubench(*run, "--strategy", path, "--speech", "100%").stderr


@pytest.mark.slow
def test_a_sweep_asks_all_adapters_in_one_engine(mirror: Path, home: Path) -> None:
    options = ("--edition", "full", "--corpora", mirror, "--model", "tiny", "--engine", "transformers")
    grid = ("--strategy", "zero-shot,text-only,direct-mix", "--speech", "0,50%", "--seeds", "0,1")
    ran = slubench("sweep", "--task", "massive-de", *grid, *options, "--home", home, "--json")
    rows = [row for row in json.loads(ran.stdout) if row["metric"] == "slu_f1" and row["input"] == "speech"]
    assert {(row["strategy"], row["speech"]) for row in rows} == {
        ("zero-shot", "0"),
        ("text-only", "0"),
        ("direct-mix", "50%"),
    }
    assert "left out: direct-mix at 0" in ran.stderr
    assert len(list((home / "runs").glob("answering-*"))) == 1


@pytest.mark.slow
def test_broken_training_rows_are_left_out_and_told(tmp_path: Path, home: Path) -> None:
    mirror = make_mirror(
        tmp_path / "broken", audio=lambda number: b"" if number == 3 else tone(pitch=200 + number)
    )
    options = ("--edition", "full", "--corpora", mirror, "--model", "tiny", "--engine", "transformers")
    run = ("run", "--task", "massive-de", "--home", home, *options)
    ran = slubench(*run, "--strategy", "direct-mix", "--speech", "100%")
    assert "speech-massive/de/train, id 3" in ran.stderr
    (card,) = (home / "adapters_registry").glob("*.json")
    ledger = json.loads(card.read_text("utf-8"))["ledger"]
    assert ledger["clips_unique"] == {"de": 19}
    assert "id 3" in ledger["rejected"][0]


def test_a_broken_test_row_stops_the_run_and_is_named(tmp_path: Path, home: Path) -> None:
    mirror = make_mirror(
        tmp_path / "broken", audio=lambda n: b"" if n == 10_002 else tone(pitch=200 + n % 100)
    )
    options = ("--edition", "full", "--corpora", mirror, "--model", "tiny", "--engine", "transformers")
    ran = slubench("run", "--task", "massive-de", "--strategy", "zero-shot", "--home", home, *options, code=1)
    assert "speech-massive/de/test, id 10002" in ran.stderr
    assert "zero bytes" in ran.stderr


def test_a_test_id_in_the_pool_is_refused(tmp_path: Path, home: Path) -> None:
    mirror = make_mirror(tmp_path / "leak")
    write_split(
        mirror,
        "test",
        [mirror_row(5, "alarm_set", "wecke mich", "de-DE", "test", tone(), "1")],
        locale="de-DE",
    )
    options = ("--edition", "full", "--corpora", mirror, "--model", "tiny", "--engine", "transformers")
    ran = slubench("run", "--task", "massive-de", "--strategy", "text-only", "--home", home, *options, code=1)
    assert "1 test ids are in the training pool speech-massive/de/train: 5" in ran.stderr


@pytest.mark.slow
@pytest.mark.parametrize("stop", [signal.SIGKILL, signal.SIGINT])
def test_what_is_stopped_is_resumed(
    run: tuple[str | Path, ...], home: Path, tmp_path: Path, stop: signal.Signals
) -> None:
    """Stopped while it trains; the same command goes on and nothing half-written is read."""
    command = [
        sys.executable,
        "-m",
        "slubench",
        *map(str, run),
        "--strategy",
        "direct-mix",
        "--speech",
        "100%",
    ]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "benchmark")}
    with (tmp_path / "stopped.txt").open("w") as errors:
        process = subprocess.Popen(
            command, stderr=errors, env=environment, start_new_session=True, preexec_fn=heeds_interrupts
        )
        deadline = time.monotonic() + 120
        while not list((home / "runs").glob("*/train.log")) and time.monotonic() < deadline:
            time.sleep(0.05)
        os.killpg(process.pid, stop)
        code = process.wait()
    assert code == (130 if stop == signal.SIGINT else -stop)
    assert not list((home / "adapters_registry").glob("*.json"))
    ran = slubench(*run, "--strategy", "direct-mix", "--speech", "100%", "--json")
    assert headline(ran)["speech", "slu_f1"]["updates"] == 5


@pytest.mark.slow
def test_what_is_published_bears_no_path(run: tuple[str | Path, ...], tmp_path: Path) -> None:
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    (checkout / "pyproject.toml").write_text('[project]\nname = "slubench"\n')
    slubench(*run[:3], "--home", checkout, *run[5:], "--strategy", "text-only")
    slubench("publish", "--all", "--home", checkout)
    (card,) = (checkout / "adapters_registry" / "published").glob("*.json")
    (scores,) = (checkout / "leaderboard" / "published").glob("*.parquet")
    assert str(tmp_path) not in card.read_text("utf-8")
    assert str(tmp_path).encode() not in scores.read_bytes()
    assert (checkout / "leaderboard" / "published" / "sums" / scores.name).is_file()
    record = checkout / "leaderboard" / "published" / "records" / scores.name
    assert str(tmp_path).encode() not in record.read_bytes()
    assert pq.read_table(record).column("train_fingerprint").to_pylist() == [
        json.loads(card.read_text("utf-8"))["fingerprint"]
    ]
