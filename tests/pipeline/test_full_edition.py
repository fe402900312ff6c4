"""The full edition's reader on real German text, spoken: every row is read, learnt, asked and scored."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import soxr

from slubench.data.synthesis import Synthesizer
from tests.massive_mirror import row, wav, write_split
from tools.mini.voices import speakers

TRAIN, TEST = 240, 60


@pytest.fixture
def spoken_mirror(real_text: Path, tmp_path: Path) -> Path:
    """Speech-MASSIVE's layout and columns, from real rows of at most nine words; 44.1 kHz WAV."""
    with gzip.open(real_text / "massive" / "de-DE.jsonl.gz", "rt", encoding="utf-8") as file:
        real = [json.loads(line) for line in file]
    people = speakers("de", unseen=False)
    root = tmp_path / "corpora"
    with Synthesizer() as synthesizer:
        for split, size in (("train", TRAIN), ("test", TEST)):
            short = [r for r in real if r["partition"] == split and len(r["utt"].split()) <= 9][:size]
            rows = []
            for number, each in enumerate(short):
                person = people[number % len(people)]
                spoken = synthesizer.speak(each["utt"], person.voice, person.rate, person.pitch)
                audio = soxr.resample(spoken.samples.astype(np.float32) / 32768, 22_050, 44_100)
                rows.append(
                    row(
                        int(each["id"]),
                        each["intent"],
                        each["annot_utt"],
                        "de-DE",
                        split,
                        wav(audio, 44_100),
                        person.speaker_id,
                    )
                )
            write_split(root, split, rows, shards=2)
    return root


@pytest.mark.slow
def test_real_german_to_the_page(spoken_mirror: Path, home: Path) -> None:
    common = [sys.executable, "-m", "slubench"]
    options = ["--edition", "full", "--corpora", str(spoken_mirror), "--model", "tiny", "--speech", "25%"]
    options += ["--engine", "transformers", "--home", str(home), "--json"]
    ran = subprocess.run(
        [*common, "run", "--task", "massive-de", "--strategy", "curriculum", *options],
        check=True,
        capture_output=True,
        text=True,
    )
    rows = {
        (r["input"], r["metric"]): r
        for r in json.loads(ran.stdout)
        if r["slice_by"] == "all" and r["normalised"]
    }
    for input_kind in ("speech", "text"):
        scored = rows[input_kind, "slu_f1"]
        assert scored["n"] == scored["clusters"] == TEST
        assert 0 <= scored["low"] <= scored["value"] <= scored["high"] <= 1
    one = rows["speech", "slu_f1"]
    assert (one["edition"], one["model"], one["task"]) == ("full", "tiny", "massive-de")
    assert one["clips_bought"] == one["clips_unique"] == TRAIN // 4
    assert one["clip_exposures"] == 3 * TRAIN // 4
    (card,) = (home / "adapters_registry").glob("*.json")
    ledger = json.loads(card.read_text("utf-8"))["ledger"]
    assert ledger["rejected"] == []
    assert ledger["text_unique"] == {"de": TRAIN}
    (answers,) = (home / "runs").glob("*/answers/*/answers.parquet")
    assert pq.read_metadata(answers).num_rows == 2 * TEST
    built = subprocess.run(
        [*common, "leaderboard", "build", "--home", str(home)], check=True, capture_output=True, text=True
    )
    page = Path(built.stdout.strip()).read_text("utf-8")
    assert "massive-de" in page
    assert "curriculum" in page
