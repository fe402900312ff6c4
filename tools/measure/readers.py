"""Measures reading a split: by slubench's own reader, and by the datasets library.

`python -m tools.measure.readers FILE.parquet... [--repeat N]` reads text, labels and audio bytes of every
row, each time in a new process with an empty cache, and prints seconds, peak memory and bytes written.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

AUDIO = "audio"


def own(files: list[str], columns: list[str]) -> int:
    """Rows by pyarrow in batches, as `slubench.data.row_files` and `slubench.data.recordings` read them."""
    from slubench.data.row_files import open_parquet, parquet_rows

    size = 0
    for name in files:
        file = open_parquet(Path(name))
        for _ in parquet_rows(file, Path(name), columns):
            pass
        for batch in file.iter_batches(batch_size=32, columns=[AUDIO]):
            size += sum(len(value["bytes"].as_py()) for value in batch.column(0))
    return size


def loaded(files: list[str], columns: list[str]) -> int:
    """Rows by `load_dataset`, which first writes them into its cache."""
    return _by_datasets(files, columns, streaming=False)


def streamed(files: list[str], columns: list[str]) -> int:
    """Rows by `load_dataset(streaming=True)`."""
    return _by_datasets(files, columns, streaming=True)


def _by_datasets(files: list[str], columns: list[str], *, streaming: bool) -> int:
    from datasets import Audio, load_dataset

    data: Any = load_dataset(
        "parquet", data_files=files, split="train", streaming=streaming, columns=[*columns, AUDIO]
    )
    data = data.cast_column(AUDIO, Audio(decode=False))
    return sum(len(row[AUDIO]["bytes"]) for row in data)


READERS = {"own": own, "load_dataset": loaded, "streaming": streamed}


def measure(reader: str, files: list[str], columns: list[str]) -> dict[str, float]:
    """One run of a reader in this process."""
    cache = Path(os.environ["HF_HOME"])
    begun = time.perf_counter()
    size = READERS[reader](files, columns)
    return {
        "seconds": round(time.perf_counter() - begun, 2),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "audio_mb": round(size / 1e6, 1),
        "written_mb": round(sum(f.stat().st_size for f in cache.rglob("*") if f.is_file()) / 1e6, 1),
    }


def main() -> None:
    """Measure every reader."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+")
    parser.add_argument("--columns", default="id,utt,annot_utt,intent_str,scenario_str,speaker_id")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--reader", choices=READERS)
    options = parser.parse_args()
    columns = options.columns.split(",")
    if options.reader:
        print(json.dumps(measure(options.reader, options.files, columns)))
        return
    for reader in READERS:
        for _ in range(options.repeat):
            with tempfile.TemporaryDirectory() as cache:
                command = [sys.executable, "-m", "tools.measure.readers", *options.files, "--reader", reader]
                ran = subprocess.run(
                    [*command, "--columns", options.columns],
                    env={**os.environ, "HF_HOME": cache, "HF_DATASETS_CACHE": cache, "HF_HUB_OFFLINE": "1"},
                    capture_output=True,
                    text=True,
                    check=True,
                )
                print(f"{reader:<14}{ran.stdout.strip().splitlines()[-1]}", flush=True)


if __name__ == "__main__":
    main()
