"""Log-mels of the speech cache, computed once: for every shard a float16 array and a table of its rows.

``python -m tools.mini.model.features --watch`` beside pretraining takes up shards as they appear.
"""

import argparse
import io
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import soundfile
from numpy.typing import NDArray

from tools.mini.model.architecture import HOP, MAX_FRAMES, SAMPLE_RATE, feature_extractor

SPEECH: Final = Path("~/.cache/slubench-mini/speech").expanduser()
FEATURES: Final = Path("~/.cache/slubench-mini/features").expanduser()
LOOKAHEAD: Final = 3
"""Frames of silence kept after each clip: what the two convolutions see beyond it in a padded window."""
COLUMNS: Final = ("id", "language", "text", "kind", "phonemes", "speaker_id", "condition")


@dataclass(frozen=True)
class Clips:
    """The clips of one shard: their rows and their log-mels."""

    rows: list[dict[str, str | int]]
    """Text columns of the shard with ``start`` and ``frames``, in the shard's order."""
    mels: NDArray[np.float16]
    """(all frames, bins): every clip's frames, then its ``LOOKAHEAD`` frames of silence."""


def extract(shard: Path, out: Path, group: int = 50) -> int:
    """Compute the log-mels of ``shard`` into ``out`` and give how many clips were kept.

    Clips longer than the 6 s window are left out. The table is written last: where it is, all is there.

    Args:
        shard: A Parquet file of the speech cache.
        out: Folder for ``<shard>.npy`` and ``<shard>.parquet``.
        group: Clips that are computed at once.
    """
    extractor = feature_extractor()
    rows: list[dict[str, str | int]] = []
    blocks: list[NDArray[np.float16]] = []
    start = 0
    for batch in pq.ParquetFile(shard).iter_batches(batch_size=group):
        kept = [(row, _samples(row["audio"]["bytes"])) for row in batch.to_pylist()]
        kept = [(row, samples) for row, samples in kept if HOP * 8 < len(samples) <= MAX_FRAMES * HOP]
        found = extractor([samples for _, samples in kept], sampling_rate=SAMPLE_RATE, return_tensors="np")
        for (row, samples), mel in zip(kept, found["input_features"], strict=True):
            frames = -(-len(samples) // HOP)
            silence = np.full((LOOKAHEAD, mel.shape[0]), mel.min(), dtype=np.float32)
            block = np.concatenate([mel.T, silence])[: frames + LOOKAHEAD]
            blocks.append(block.astype(np.float16))
            rows.append({name: row[name] for name in COLUMNS} | {"start": start, "frames": frames})
            start += len(block)
    out.mkdir(parents=True, exist_ok=True)
    array, table = out / f"{shard.stem}.npy", out / f"{shard.stem}.parquet"
    with (out / f"{shard.stem}.npy.part").open("wb") as file:
        np.save(file, np.concatenate(blocks))
    Path(file.name).rename(array)
    part = table.with_suffix(".parquet.part")
    pq.write_table(pa.Table.from_pylist(rows), part)
    part.rename(table)
    return len(rows)


def read(table: Path) -> Clips:
    """Read what ``extract`` wrote; the log-mels stay on disk until they are looked at."""
    return Clips(pq.read_table(table).to_pylist(), np.load(table.with_suffix(".npy"), mmap_mode="r"))


def pending(speech: Path, out: Path) -> Iterator[Path]:
    """Give the shards of ``speech`` without a table in ``out``, languages in turn, dev sets first."""
    shards = [path for path in speech.glob("*.parquet") if not (out / path.name).exists()]
    yield from sorted(shards, key=lambda path: (not path.stem.startswith("dev"), path.stem[-4:], path.stem))


def _samples(audio: bytes) -> NDArray[np.float32]:
    samples, rate = soundfile.read(io.BytesIO(audio), dtype="float32")
    if rate != SAMPLE_RATE:
        raise ValueError(f"the speech cache should hold {SAMPLE_RATE} Hz, not {rate} Hz: make it again")
    return np.asarray(samples, dtype=np.float32)


def main() -> None:
    """Compute what is missing; with ``--watch``, go on until no shard has come for an hour."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--speech", type=Path, default=SPEECH)
    parser.add_argument("--out", type=Path, default=FEATURES)
    parser.add_argument("--watch", action="store_true")
    options = parser.parse_args()
    quiet_since = time.monotonic()
    while True:
        shard = next(pending(options.speech, options.out), None)
        if shard is not None:
            print(shard.stem, extract(shard, options.out), flush=True)
            quiet_since = time.monotonic()
        elif not options.watch or time.monotonic() - quiet_since > 3600:
            return
        else:
            time.sleep(10)


if __name__ == "__main__":
    main()
