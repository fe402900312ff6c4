"""Makes small mirrors of SLURP: the authors' JSON lines and FLAC files, and a Hub mirror's Parquet."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import soundfile

SENTENCES = [
    ("alarm", "set", "wake me at five", [("time", [3])]),
    ("weather", "query", "what is the weather in Rome", [("place_name", [5])]),
    ("iot", "hue_lightoff", "turn off the light", []),
]


def flac(pitch: float = 220.0, seconds: float = 0.3, rate: int = 16_000) -> bytes:
    """A tone as FLAC bytes."""
    samples = 0.3 * np.sin(2 * np.pi * pitch * np.arange(int(seconds * rate)) / rate)
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, rate, format="FLAC")
    return buffer.getvalue()


def sentence(number: int, recordings: Sequence[str]) -> dict[str, Any]:
    """A row of the JSON lines; its `intent` has lost the scenario, as in some rows of the real ones."""
    scenario, action, text, entities = SENTENCES[number % len(SENTENCES)]
    return {
        "slurp_id": number,
        "sentence": text,
        "sentence_annotation": text,
        "intent": action,
        "action": action,
        "scenario": scenario,
        "tokens": [{"surface": word, "id": place} for place, word in enumerate(text.split())],
        "recordings": [{"file": name, "wer": 0.0, "status": "correct"} for name in recordings],
        "entities": [{"type": kind, "span": span} for kind, span in entities],
    }


def names(number: int, count: int) -> list[str]:
    """File names of a sentence's recordings, the first by the close microphone."""
    return [f"audio-{number}-{place}{'' if place else '-headset'}.flac" for place in range(count)]


def write_lines(root: Path, split: str, rows: Sequence[Mapping[str, Any]]) -> Path:
    """Write a split's JSON lines where the authors have them."""
    path = root / f"slurp/dataset/slurp/{split}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


def make_authors(root: Path, train: int = 12, test: int = 4, each: int = 3, audio: bool = True) -> Path:
    """A mirror in the authors' layout: `each` recordings a sentence, speakers, some synthetic speech."""
    metadata: dict[str, Any] = {}
    for split, first, size in (("train", 0, train), ("test", 1000, test), ("train_synthetic", 0, 3)):
        synthetic = split == "train_synthetic"
        rows = []
        for number in range(first, first + size):
            files = [f"synth-{number}.flac"] if synthetic else names(number, each)
            rows.append(sentence(number, files))
            if not synthetic:
                users = ("FE-146", "MO-355", "UNK-7")
                told = {name: {"usrid": users[place % 3]} for place, name in enumerate(files)}
                metadata[f"key-{number}"] = {"recordings": told}
            folder = root / "slurp/audio" / ("slurp_synth" if synthetic else "slurp_real")
            if audio:
                folder.mkdir(parents=True, exist_ok=True)
                for place, name in enumerate(files):
                    (folder / name).write_bytes(flac(200.0 + number % 100 + 50 * place))
        write_lines(root, split, rows)
    (root / "slurp/dataset/slurp/metadata.json").write_text(json.dumps(metadata), "utf-8")
    return root


def write_hub_mirror(root: Path, rows: Sequence[tuple[int, str]], split: str = "test") -> Path:
    """A Hub mirror's Parquet: ids, recordings, and an intent that has lost its scenario."""
    table = pa.Table.from_pylist(
        [
            {
                "slurp_id": number,
                "sentence": "not to be read",
                "intent": "nonsense",
                "audio": {"bytes": flac(), "path": f"some/where/{name}"},
            }
            for number, name in rows
        ]
    )
    path = root / f"qmeeus/slurp/data/{split}-00000-of-00001.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path)
    return path
