"""A `compose` reads no file that its fingerprint does not cover."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from slubench import Clip, Entity, Meaning, Pool, Utterance
from slubench.domain.budget import Budget
from slubench.errors import DeclarationError
from slubench.registry import strategy_in
from slubench.trainset.train_set import StageExamples, compose, exposure

SIZE, BOUGHT = 240, 24
CELL = exposure(SIZE, SIZE, BOUGHT, 16)
MEANING = Meaning("alarm", "set", (Entity("time", "eight"),))
TEXT = '''
"""Reads a file."""

import json
import os
import subprocess
from pathlib import Path

from slubench import SPEECH, TEXT, Example, Stage, Strategy


def found(pool):
    HERE


def compose(pool, rng):
    found(pool)
    for utterance in pool.speech():
        yield Example.spoken(utterance)
    for utterance in pool.text():
        yield Example.written(utterance)


MINE = Strategy(name="mine", stages=(Stage(learns_from=TEXT | SPEECH, compose=compose),))
'''


def composed(code: str, folder: Path) -> tuple[StageExamples, ...]:
    file = folder / "mine.py"
    file.write_text(TEXT.replace("HERE", code), "utf-8")
    (folder / "clip").write_bytes(b"RIFF")
    (folder / "data.json").write_text(json.dumps([1]), "utf-8")
    rows = [
        Utterance(str(n), "de", f"wake me at {n}", MEANING, Clip(str(folder / "clip"), n))
        for n in range(SIZE)
    ]
    pool = Pool({"de": rows}, {"de": rows[:BOUGHT]}, Budget.parse("10%"))
    return compose(strategy_in(file), pool, CELL, 0)


@pytest.mark.parametrize(
    "code",
    [
        'Path(__file__).with_name("data.json").read_text()',
        'open(Path(__file__).parent / "data.json", "rb").close()',
        'json.load(os.fdopen(os.open(str(Path(__file__).with_name("data.json")), os.O_RDONLY)))',
        'open(Path(__file__).with_name("data.json"), "r+").read()',
        'open(Path(__file__).with_name("data.json"), "rb+", buffering=0).read()',
        'open(Path(__file__).with_name("data.json"), "a+").seek(0)',
        'os.read(os.open("data.json", os.O_RDWR | os.O_EXCL), 9)',
        'os.read(os.open("data.json", os.O_RDWR | os.O_CREAT), 9)',
        'import numpy; numpy.memmap("data.json")',
        'subprocess.run(["cat", "data.json"])',
        'try: open(Path(__file__).with_name("data.json"))\n    except Exception: pass',
    ],
)
def test_what_a_compose_reads_is_refused_with_its_line(
    code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DeclarationError) as refused:
        composed(code, tmp_path)
    assert str(refused.value).startswith("compose of mine, stage 1 (mine.py), line 13: it ")
    assert "fingerprint covers Python source alone" in str(refused.value)


@pytest.mark.parametrize(
    "code",
    [
        "open(pool.speech()[0].clip.file, 'rb').close()",
        "import uuid, colorsys, wave",
        "import beside_a_test",
        "open(__file__).close()",
        'open("notes", "w").close()',
        'open("notes", "a").close()',
        'with open("notes", "w+") as kept: kept.read()',
        "import tempfile; tempfile.TemporaryFile().close(); os.close(tempfile.mkstemp()[0])",
        "pass",
    ],
)
def test_bought_recordings_and_modules_may_be_opened(
    code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "beside_a_test.py").write_text("LIMIT = 3\n", "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    (stage,) = composed(code, tmp_path)
    assert stage.updates == CELL.updates


def test_others_read_files_as_before(tmp_path: Path) -> None:
    composed("pass", tmp_path)
    assert (tmp_path / "data.json").read_text("utf-8") == "[1]"
