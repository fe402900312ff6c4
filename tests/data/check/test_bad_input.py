"""Each fault a corpus may have, alone: a message with its place, what it is, and the remedy."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from slubench.data.check.issues import Issue
from slubench.data.check.rows import inspect
from slubench.data.check.task_splits import parts_of
from slubench.data.source import Source
from slubench.registry import Registry
from slubench.runtime.digest import Digests
from tests.command import slubench
from tests.massive_mirror import make_mirror, row, tone, wav, write_split
from tests.metrics.test_slurp import GOLD, RIGHT
from tests.slurp_mirror import flac, make_authors, names, sentence, write_lines

REGISTRY = Registry()
SHARD = "train-00000-of-00001.parquet"
LEFT_OUT = "It is left out of training and listed on the card; a test set with such a row cannot be used"


def found(mirror: Path, task: str) -> list[Issue]:
    """What is found in a mirror beside its size, its columns and sentences of the test in train."""
    source = Source(Digests(mirror / "digests.json"), mirror, hub=False)
    report = inspect(parts_of([REGISTRY.task(task)]), source, 16_000, 30.0)
    return [each for each in report.findings if each.kind not in ("size", "column", "repeat")]


def german(root: Path, **changes: object) -> Path:
    """A mirror of Speech-MASSIVE whose fourth row is changed."""
    make_mirror(root, train=6, test=3)
    rows = [row(number, "alarm_set", f"satz {number}", "de-DE", "train", tone(), "1") for number in range(6)]
    rows[3] |= changes
    write_split(root, "train", rows)
    return root


def heard(audio: bytes | None) -> Callable[[Path], Path]:
    return lambda root: german(root, audio={"bytes": audio, "path": "3.wav"})


def truncated(root: Path) -> Path:
    path = german(root) / "FBK-MT/Speech-MASSIVE/de-DE" / SHARD
    path.write_bytes(path.read_bytes()[:-40])
    return root


def without_a_shard(root: Path) -> Path:
    make_mirror(root, train=6, test=3)
    (root / "FBK-MT/Speech-MASSIVE/de-DE" / SHARD).unlink()
    rows = [row(number, "alarm_set", f"satz {number}", "de-DE", "train", tone(), "1") for number in range(6)]
    write_split(root, "train", rows, shards=3)[1].unlink()
    return root


ROW = f"speech-massive/de/train, id 3 ({SHARD}, row 3): "
Fault = tuple[Callable[[Path], Path], str, str]

FAULTS: dict[str, Fault] = {
    "truncated Parquet": (truncated, "problem", f"{SHARD} is not a complete Parquet file"),
    "missing shard": (
        without_a_shard,
        "problem",
        "de-DE: shard 1 of 00003.parquet is missing (found 2). Download it again.",
    ),
    "zero bytes": (heard(b""), "problem", f"{ROW}the audio is empty (zero bytes). {LEFT_OUT}"),
    "no audio": (heard(None), "problem", f"{ROW}the row has no audio. {LEFT_OUT}"),
    "noise for a file": (heard(b"RIFF" + bytes(60)), "problem", f"{ROW}the audio cannot be decoded"),
    "not a number": (
        heard(wav(np.full(900, np.nan, np.float32), 16_000, "FLOAT")),
        "problem",
        f"{ROW}the audio contains NaN or infinite samples. {LEFT_OUT}",
    ),
    "stereo": (
        heard(wav(0.1 * np.ones((9_000, 2)), 16_000)),
        "remark",
        f"{ROW}the clip has 2 channels. They are averaged",
    ),
    "8 kHz": (
        heard(tone(0.5, 8_000)),
        "remark",
        f"{ROW}the clip's 8,000 Hz are fewer than the model's 16,000. It is resampled; frequencies above"
        " half its rate are missing",
    ),
    "40 s": (heard(tone(40.0, 16_000)), "remark", f"{ROW}the clip is 40.0 s long. It is cut off after 30 s"),
    "tokens": (
        lambda root: german(root, tokens=["etwas", "anderes"], labels=["Other", "Other"]),
        "remark",
        f"speech-massive/de/train, id 3 ({SHARD}): utt does not match its tokens. It is used",
    ),
    "intent beyond the ontology": (
        lambda root: german(root, intent_str="alarm_fly"),
        "problem",
        f"{ROW}unknown intent 'alarm_fly'",
    ),
    "slot type beyond the ontology": (
        lambda root: german(root, utt="satz rot", annot_utt="satz [colour : rot]"),
        "problem",
        f"{ROW}unknown slot type colour",
    ),
    "integer beyond the ontology": (
        lambda root: german(root, scenario=99),
        "problem",
        f"{ROW}scenario is 99, out of range; the ontology has 18. {LEFT_OUT}",
    ),
}


def english(root: Path, audio: bytes | None = None, **changes: object) -> Path:
    """A mirror of SLURP whose second test sentence is changed, or the file of its recording."""
    make_authors(root, each=1)
    rows = [sentence(number, names(number, 1)) for number in range(1000, 1004)]
    rows[1] |= changes
    write_lines(root, "test", rows)
    if audio is not None:
        (root / "slurp/audio/slurp_real" / names(1001, 1)[0]).write_bytes(audio)
    return root


def stereo_flac() -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, 0.1 * np.ones((9_000, 2)), 16_000, format="FLAC")
    return buffer.getvalue()


CLIP = "slurp/en/test, id 1001/audio-1001-0-headset.flac (audio-1001-0-headset.flac): "
LINE = "slurp/en/test, id 1001/audio-1001-0-headset.flac (test.jsonl): "
SLURP_FAULTS: dict[str, Fault] = {
    "zero bytes": (
        lambda root: english(root, b""),
        "problem",
        f"{CLIP}the audio is empty (zero bytes). {LEFT_OUT}",
    ),
    "torn FLAC": (lambda root: english(root, flac()[:40]), "problem", f"{CLIP}the audio"),
    "stereo": (lambda root: english(root, stereo_flac()), "remark", f"{CLIP}the clip has 2 channels"),
    "8 kHz": (lambda root: english(root, flac(rate=8_000)), "remark", f"{CLIP}the clip's 8,000 Hz are fewer"),
    "40 s": (
        lambda root: english(root, flac(seconds=40.0)),
        "remark",
        f"{CLIP}the clip is 40.0 s long. It is cut",
    ),
    "tokens": (
        lambda root: english(root, sentence="quite another sentence"),
        "remark",
        f"{LINE}the sentence does not match its tokens. It is used",
    ),
    "intent beyond the ontology": (
        lambda root: english(root, action="fly"),
        "problem",
        "slurp/en/test, id 1001 (test.jsonl, row 1): unknown intent 'iot_fly'; the ontology has 60",
    ),
    "slot type beyond the ontology": (
        lambda root: english(root, entities=[{"type": "colour", "span": [0]}]),
        "problem",
        "slurp/en/test, id 1001 (test.jsonl, row 1): unknown slot type colour",
    ),
}


EVERY = [
    *(("massive-de", name, fault) for name, fault in FAULTS.items()),
    *(("slurp", name, fault) for name, fault in SLURP_FAULTS.items()),
]


@pytest.mark.parametrize(("task", "fault"), [pytest.param(t, f, id=f"{t}-{n}") for t, n, f in EVERY])
def test_a_fault_is_told_with_place_and_remedy(task: str, fault: Fault, tmp_path: Path) -> None:
    make, severity, told = fault
    (one,) = found(make(tmp_path), task)
    assert one.severity == severity
    assert told in str(one)
    assert one.remedy


def test_gold_of_another_corpus_is_refused(tmp_path: Path) -> None:
    """SLURP's predictions against MASSIVE's test, and MASSIVE's against SLURP's."""
    slurp, massive, said, other = (tmp_path / f"{name}.jsonl" for name in ("gold", "de", "said", "other"))
    german_row = {"id": "7", "partition": "test", "scenario": "alarm", "intent": "alarm_set", "utt": "eins"}
    for path, rows in (
        (slurp, GOLD),
        (massive, [german_row | {"annot_utt": "eins"}]),
        (said, RIGHT),
        (other, [{"id": 7, "scenario": "alarm", "action": "set", "entities": []}]),
    ):
        path.write_text("".join(json.dumps(each) + "\n" for each in rows), "utf-8")
    for predictions, gold in ((said, massive), (other, slurp)):
        ran = slubench("score", predictions, "--gold", gold, code=1)
        assert f"No prediction matches {gold}" in ran.stderr
        assert "Is this the gold of another corpus or split?" in ran.stderr
        assert ran.stdout == ""
