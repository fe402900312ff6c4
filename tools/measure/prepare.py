"""Clips made ready a second, against `datasets.map` with a WhisperFeatureExtractor one row at a time.

    python tools/measure/prepare.py --clips 400 [--out tools/measure/results/prepare.json]

Both read the same Parquet of 44.1 kHz WAV (about four seconds a clip, as in Speech-MASSIVE) on the same
cores in the same run, one after the other. `datasets.map` decodes, resamples and makes log-mels padded to
30 s, as the usual training script does; slubench decodes and resamples, and makes log-mels of the clip's own
length later, in batches. Neither has seen a clip before.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import soundfile
import soxr

from slubench.data.clips import ClipStore
from slubench.data.prepare import prepare
from slubench.data.source import Source
from slubench.registry import Registry
from slubench.runtime.digest import Digests
from slubench.runtime.system import cores

RATE, MODEL_RATE = 44_100, 16_000


def write_corpus(root: Path, clips: int) -> None:
    """Write clips of noise, two to six seconds long, as Speech-MASSIVE's German training split."""
    rng = np.random.default_rng(0)
    rows = []
    for number in range(clips):
        samples = 0.1 * rng.standard_normal(int(RATE * rng.uniform(2.0, 6.0)))
        buffer = io.BytesIO()
        soundfile.write(buffer, samples, RATE, format="WAV")
        labels = {
            "scenario_str": "alarm",
            "intent_str": "alarm_set",
            "utt": "weck mich",
            "annot_utt": "weck mich",
        }
        audio = {"bytes": buffer.getvalue(), "path": f"{number}.wav"}
        rows.append({"id": str(number), **labels, "audio": audio})
    folder = root / "FBK-MT/Speech-MASSIVE/de-DE"
    folder.mkdir(parents=True)
    pq.write_table(pa.Table.from_pylist(rows), folder / "train-00000-of-00001.parquet", row_group_size=100)


def by_slubench(root: Path, workers: int) -> float:
    """Seconds to prepare the split with `slubench data prepare`'s own function, processes' start included."""
    corpus = Registry().task("massive-de").corpus
    shards = Source(Digests(root / "digests.json"), root, hub=False).find(corpus, "de", "train")
    started = time.perf_counter()
    prepared = prepare(shards, ClipStore(root / "clips", MODEL_RATE, 30.0), workers)
    taken = time.perf_counter() - started
    assert not prepared.rejected
    return taken


def by_datasets(root: Path, workers: int) -> float:
    """Seconds of `datasets.map`, one row at a time, with as many processes."""
    from datasets import Audio, load_dataset
    from transformers import WhisperFeatureExtractor

    make: Any = WhisperFeatureExtractor
    extractor = make(feature_size=128)
    files = str(root / "FBK-MT/Speech-MASSIVE/de-DE/*.parquet")
    rows = load_dataset("parquet", data_files=files, split="train", cache_dir=str(root / "cache"))
    rows = rows.cast_column("audio", Audio(decode=False))

    def features(row: dict[str, Any]) -> dict[str, Any]:
        samples, rate = soundfile.read(io.BytesIO(row["audio"]["bytes"]), dtype="float32")
        samples = soxr.resample(samples, rate, MODEL_RATE)
        return {"input_features": extractor(samples, sampling_rate=MODEL_RATE).input_features[0]}

    started = time.perf_counter()
    rows.map(features, remove_columns=rows.column_names, num_proc=workers if workers > 1 else None)
    return time.perf_counter() - started


def main() -> None:
    """Measure both and print JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--clips", type=int, default=400)
    parser.add_argument("--workers", type=int, default=cores())
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        write_corpus(root, options.clips)
        ours = options.clips / by_slubench(root, options.workers)
        theirs = options.clips / by_datasets(root, options.workers)
    result = {
        "clips": options.clips,
        "workers": options.workers,
        "slubench_clips_per_second": round(ours, 1),
        "datasets_map_clips_per_second": round(theirs, 1),
        "times_as_many": round(ours / theirs, 1),
        "load_average": round(os.getloadavg()[0], 1),
    }
    print(json.dumps(result))
    if options.out:
        options.out.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
